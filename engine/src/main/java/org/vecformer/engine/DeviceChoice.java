package org.vecformer.engine;

/** What computes: this machine's processor, or an OpenCL device. A device that was asked for is never replaced. */
public sealed interface DeviceChoice {

    /** The processor, with this engine's own kernels; nothing of OpenCL is loaded. */
    record Cpu() implements DeviceChoice {
        @Override
        public String toString() {
            return "cpu";
        }
    }

    /** The first OpenCL device that is a GPU. */
    record FirstGpu() implements DeviceChoice {
        @Override
        public String toString() {
            return "gpu";
        }
    }

    /**
     * One OpenCL device.
     *
     * @param index its {@link ComputeDevice#index()}
     */
    record OpenCl(int index) implements DeviceChoice {

        public OpenCl {
            if (index < 0) {
                throw new IllegalArgumentException("the OpenCL device's index is " + index + "; expected 0 or more");
            }
        }

        @Override
        public String toString() {
            return "opencl:" + index;
        }
    }

    /**
     * Reads what {@code toString()} writes.
     *
     * @param text "cpu", "gpu", or "opencl:N" where N counts the devices from 0
     * @throws IllegalArgumentException when it is none of these
     */
    static DeviceChoice parse(String text) {
        if (text.equals("cpu")) {
            return new Cpu();
        }
        if (text.equals("gpu")) {
            return new FirstGpu();
        }
        // nine digits always fit into an int
        if (text.matches("opencl:[0-9]{1,9}")) {
            return new OpenCl(Integer.parseInt(text.substring("opencl:".length())));
        }
        throw new IllegalArgumentException(
                "the device is \"" + text + "\"; expected cpu, gpu (the first OpenCL GPU) or opencl:N (from 0)");
    }
}
