/**
 * How the library behaves in somebody else's process: what it leaves behind (threads, static state, class loaders), what
 * happens when something is closed or interrupted in the midst of work, and under a container's limits.
 */
package org.vecformer.engine.life;
