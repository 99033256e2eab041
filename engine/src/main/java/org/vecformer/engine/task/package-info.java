/**
 * What users call: a task has a model, a tokenizer and a session, and speaks text.
 */
package org.vecformer.engine.task;
