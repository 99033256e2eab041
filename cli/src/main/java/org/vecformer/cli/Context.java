package org.vecformer.cli;

/**
 * What every command works with.
 *
 * @param streams where it reads and writes
 * @param interruption tells it to end
 * @param headStart a model that is being loaded already, perhaps
 */
record Context(Streams streams, Interruption interruption, HeadStart headStart) {}
