package org.vecformer.cli.dialog;

import org.vecformer.engine.dialog.DialogExample;

/**
 * An example of a file.
 *
 * @param dialog  which of the file's dialogs it is from; the first one is 1
 * @param example what it is; its only candidate is gold where the file gives none
 */
public record NumberedExample(int dialog, DialogExample example) {}
