package org.vecformer.yardstick;

import java.util.function.DoubleSupplier;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.engine.DeviceException;
import org.vecformer.engine.UnsupportedBackendException;
import org.vecformer.engine.kernel.opencl.DeviceLimits;

/** The limits of an OpenCL device, as the engine's own part for devices measures them. */
final class OpenClLimits implements Limits {

    private final DeviceLimits limits;

    OpenClLimits(ComputeDevice device) {
        try {
            limits = DeviceLimits.open(new DeviceChoice.OpenCl(device.index()));
        } catch (UnsupportedBackendException | DeviceException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    @Override
    public double readBandwidth(double seconds) {
        return measured(() -> limits.readBandwidth(seconds));
    }

    @Override
    public double fmaPeak(double seconds) {
        return measured(() -> limits.fmaPeak(seconds));
    }

    private static double measured(DoubleSupplier limit) {
        try {
            return limit.getAsDouble();
        } catch (DeviceException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        limits.close();
    }
}
