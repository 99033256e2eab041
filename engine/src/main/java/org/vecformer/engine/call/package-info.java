/**
 * The calls of a task: {@link org.vecformer.engine.call.Calls} lets one run at a time, ends it when somebody wants that,
 * and frees the task's memory behind the last one; a {@link org.vecformer.engine.call.Call} is what the work asks
 * whether to go on. A {@link org.vecformer.engine.call.PieceQueue} carries what a generation tells to the thread that
 * reads its stream, or to a subscriber. What hangs onto a result runs on its {@link org.vecformer.engine.call.OwnThread}.
 */
package org.vecformer.engine.call;
