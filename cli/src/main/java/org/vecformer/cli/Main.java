package org.vecformer.cli;

public final class Main {
    private Main() {
    }

    public static void main(String[] args) throws Exception {
        System.out.println(java.util.Arrays.toString(args) + System.getProperty("sun.jnu.encoding"));
        if (args.length > 0 && args[0].equals("wait")) Thread.sleep(100000);
    }
}
