"""Made the files beside it, with torch 2.13.0 and safetensors 0.8.0: python make_fixtures.py

views.bin, views-legacy.bin, views-protocol4.bin, views-big-endian.bin hold the same tensors, saved in the zip format,
in the format before PyTorch 1.6, with pickle protocol 4, and as a big-endian machine would; views.safetensors says what
they are. sharded/ is a model in two shards, nested.bin a training checkpoint, evil.bin a pickle that would run a
command.
"""
import collections
import json
import os
import zipfile

import torch
from safetensors.torch import save_file

torch.manual_seed(3)
base = torch.randn(6, 8)
tied = torch.randn(5, 4)
tensors = collections.OrderedDict(
    plain=torch.randn(3, 4),
    transposed=base.t(),
    sliced=base[1:4, 2:7],
    every_second=base.flatten()[1::2],
    permuted=torch.randn(2, 3, 4).permute(2, 0, 1),
    expanded=torch.randn(3, 1).expand(3, 4),
    parameter=torch.nn.Parameter(torch.randn(4)),
    scalar=torch.tensor(2.5),
    empty=torch.zeros(0, 3),
    half=torch.randn(5).half(),
    brain=torch.randn(5).bfloat16(),
    double=torch.randn(5).double(),
    position_ids=torch.arange(7).expand((1, -1)),
    ints=torch.arange(-3, 3, dtype=torch.int32),
    shorts=torch.arange(-3, 3, dtype=torch.int16),
    bytes=torch.arange(250, 256).to(torch.uint8),
    chars=torch.arange(-3, 3, dtype=torch.int8),
    flags=torch.tensor([True, False, True]),
)
tensors["embeddings.weight"] = tied
tensors["lm_head.weight"] = tied
tensors._metadata = collections.OrderedDict([("", {"version": 1})])
torch.save(tensors, "views.bin")
torch.save(tensors, "views-legacy.bin", _use_new_zipfile_serialization=False)
torch.save(tensors, "views-protocol4.bin", pickle_protocol=4)
save_file({k: v.detach().clone().contiguous() for k, v in tensors.items()}, "views.safetensors")

with zipfile.ZipFile("views.bin") as source, zipfile.ZipFile("views-big-endian.bin", "w") as target:
    root = source.namelist()[0].split("/")[0]
    # The storages' types stand in the pickle in the order of their keys.
    order, seen = [], set()
    for v in tensors.values():
        if v.untyped_storage()._cdata not in seen:
            seen.add(v.untyped_storage()._cdata)
            order.append(v.element_size())
    for name in source.namelist():
        data = source.read(name)
        if name.startswith(root + "/data/"):
            size = order[int(name.rsplit("/", 1)[1])]
            data = b"".join(data[i:i + size][::-1] for i in range(0, len(data), size))
        elif name == root + "/byteorder":
            data = b"big"
        target.writestr(name, data)

torch.save({"epoch": 3, "state_dict": {"a.weight": torch.ones(2, 2)}, "best": 0.5}, "nested.bin")

os.makedirs("sharded", exist_ok=True)
torch.save({"transformer.wte.weight": torch.arange(12.).reshape(3, 4)}, "sharded/pytorch_model-00001-of-00002.bin")
torch.save({"transformer.wpe.weight": torch.arange(8.).reshape(2, 4)}, "sharded/pytorch_model-00002-of-00002.bin")
json.dump({"metadata": {"total_size": 80}, "weight_map": {
    "transformer.wte.weight": "pytorch_model-00001-of-00002.bin",
    "transformer.wpe.weight": "pytorch_model-00002-of-00002.bin"}},
    open("sharded/pytorch_model.bin.index.json", "w"), indent=2)
json.dump({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}, open("sharded/config.json", "w"))


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/this-was-run",)


torch.save({"a": torch.ones(1), "b": Evil()}, "evil.bin")
