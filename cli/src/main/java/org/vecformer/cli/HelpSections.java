package org.vecformer.cli;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Shows the options of a command in the help by {@link Section}: first those of mixins that have none. (Picocli's own
 * argument groups would do it too, but forget what was given when an option comes twice.)
 */
final class HelpSections {
    private HelpSections() {
    }

    static void install(CommandLine line) {
        line.getHelpSectionMap().put(CommandLine.Model.UsageMessageSpec.SECTION_KEY_OPTION_LIST, HelpSections::render);
        line.getSubcommands().values().forEach(HelpSections::install);
    }

    private static String render(Help help) {
        Map<String, List<OptionSpec>> sections = new LinkedHashMap<>();
        sections.put("", new ArrayList<>());
        for (OptionSpec option : help.commandSpec().options()) {
            sections.computeIfAbsent(heading(option), _ -> new ArrayList<>()).add(option);
        }
        StringBuilder text = new StringBuilder();
        sections.forEach((heading, options) -> {
            Help.Layout layout = help.createDefaultLayout();
            layout.addOptions(options, help.parameterLabelRenderer());
            text.append(heading.isEmpty() ? "" : String.format("%n%s:%n", heading)).append(layout);
        });
        return text.toString();
    }

    private static String heading(OptionSpec option) {
        Section section = option.userObject() instanceof Field field
                ? field.getDeclaringClass().getAnnotation(Section.class)
                : null;
        return section == null ? "" : section.value();
    }
}
