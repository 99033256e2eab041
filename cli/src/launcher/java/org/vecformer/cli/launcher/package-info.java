/**
 * The front door of {@code java -jar gpt2.jar}: old class files that any Java from 8 on can start, because a manifest
 * can neither demand a newer Java nor add the incubating vector module.
 *
 * <p>{@link org.vecformer.cli.launcher.Launcher} finds a JDK of version 25 or newer ({@link
 * org.vecformer.cli.launcher.JdkSearch} in the {@link org.vecformer.cli.launcher.Places} of this machine), starts the
 * real main in it and stands between it and the outside: arguments ({@link org.vecformer.cli.launcher.Arguments}),
 * streams, signals and the exit status go through unchanged. A {@link org.vecformer.cli.launcher.ClassArchive} shortens
 * the start for those who name a folder for it. Everything here is on the way of every start, so it is
 * plain loops: a lambda, a regular expression or a format string costs more time than the whole search.
 */
package org.vecformer.cli.launcher;
