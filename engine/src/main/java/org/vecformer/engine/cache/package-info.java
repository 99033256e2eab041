/**
 * The key/value cache: what attention has to remember of every position.
 * <p>
 * A session owns one {@link org.vecformer.engine.cache.KeyValueCache} and hands out {@link
 * org.vecformer.engine.cache.CachedSequence}s. Memory goes in pages of 32 positions, so that prefixes are shared, beams fork
 * without copying everything, and there is a bound that the user sets.
 */
package org.vecformer.engine.cache;
