/**
 * LangChain4j's models, computed by vecformer.
 */
package org.vecformer.langchain4j;
