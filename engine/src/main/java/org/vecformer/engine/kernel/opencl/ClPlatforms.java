package org.vecformer.engine.kernel.opencl;

import java.util.List;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.engine.UnsupportedBackendException;

/** Finds the OpenCL devices of this machine. Thread-safe. */
public final class ClPlatforms {

    private ClPlatforms() {
    }

    /**
     * All devices, in the order of their index.
     *
     * @return at least one
     * @throws UnsupportedBackendException when there are none; the message says why and what to do
     */
    public static List<ComputeDevice> devices() {
        ClLibrary.require();
        return SignalHandlers.during(ClDiscovery::devices).stream().map(ClDiscovery.Found::description).toList();
    }

    /**
     * The device of a choice.
     *
     * @throws UnsupportedBackendException when there is none; the message says what there is
     */
    static ClDiscovery.Found choose(DeviceChoice choice) {
        ClLibrary.require();
        List<ClDiscovery.Found> devices = SignalHandlers.during(ClDiscovery::devices);
        return switch (choice) {
            case DeviceChoice.Cpu _ -> throw new IllegalArgumentException("the cpu is no OpenCL device");
            case DeviceChoice.FirstGpu _ -> devices.stream()
                    .filter(found -> found.description().type() == ComputeDevice.Type.GPU).findFirst()
                    .orElseThrow(() -> new UnsupportedBackendException("there is no OpenCL GPU; " + offer(devices)));
            case DeviceChoice.OpenCl(int index) -> {
                if (index >= devices.size()) {
                    throw new UnsupportedBackendException(
                            "there is no OpenCL device " + choice + "; " + offer(devices));
                }
                yield devices.get(index);
            }
        };
    }

    private static String offer(List<ClDiscovery.Found> devices) {
        StringBuilder offer = new StringBuilder("there is");
        String separator = " ";
        for (ClDiscovery.Found found : devices) {
            ComputeDevice device = found.description();
            offer.append(separator).append("opencl:").append(device.index()).append(" (").append(device.name())
                    .append(", ").append(device.type()).append(')');
            separator = ", ";
        }
        return offer.toString();
    }
}
