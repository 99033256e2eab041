package org.vecformer.engine.constraint;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads the regular part of the syntax that Java, Python and JavaScript share. What is not regular, or means something
 * else in one of them, is refused by name.
 */
final class RegexParser {
    private static final int MAX_NESTING = 200;
    private static final int MAX_REPEAT = 10_000;

    private static final CodePoints DIGITS = CodePoints.range('0', '9');
    private static final CodePoints WORD = DIGITS.or(CodePoints.range('a', 'z')).or(CodePoints.range('A', 'Z'))
            .or(CodePoints.of('_'));
    private static final CodePoints SPACE = CodePoints.of(" \t\n\u000B\f\r");
    private static final CodePoints LINE_FEED = CodePoints.of('\n');
    /** What some dialect's dot does not match. */
    private static final CodePoints LINE_ENDS = CodePoints.of("\n\r\u0085\u2028\u2029");

    private final String pattern;
    private final int[] text;
    private final CodePoints dot;
    private int at;
    private int nesting;

    private RegexParser(String pattern, CodePoints dot) {
        this.pattern = pattern;
        this.dot = dot;
        text = pattern.codePoints().toArray();
    }

    /** A pattern that the whole text matches. */
    static Regex whole(String pattern) {
        return new RegexParser(pattern, LINE_FEED.not()).parse(false);
    }

    /**
     * A pattern that is found somewhere in the text, unless it is anchored: a schema's. Its dot matches only what it
     * matches in every dialect.
     */
    static Regex somewhere(String pattern) {
        return new RegexParser(pattern, LINE_ENDS.not()).parse(true);
    }

    private Regex parse(boolean anywhere) {
        Regex any = new Regex.Repeat(new Regex.OneOf(CodePoints.ALL), 0, Regex.Repeat.UNBOUNDED);
        List<Regex> alternatives = new ArrayList<>();
        do {
            boolean begins = take('^');
            List<Regex> parts = new ArrayList<>();
            if (anywhere && !begins) {
                parts.add(any);
            }
            parts.add(sequence());
            boolean ends = take('$');
            if (anywhere && !ends) {
                parts.add(any);
            }
            alternatives.add(new Regex.Sequence(parts));
        } while (take('|'));
        if (at < text.length) {
            throw text[at] == ')' ? fault("a closing parenthesis that nothing opens", at) : anchorFault('$', at - 1);
        }
        return either(alternatives);
    }

    private static Regex either(List<Regex> alternatives) {
        return alternatives.size() == 1 ? alternatives.getFirst() : new Regex.Either(alternatives);
    }

    private Regex alternatives() {
        List<Regex> alternatives = new ArrayList<>();
        do {
            alternatives.add(sequence());
        } while (take('|'));
        if (at < text.length && text[at] == '$') {
            throw anchorFault('$', at);
        }
        return either(alternatives);
    }

    private Regex sequence() {
        List<Regex> parts = new ArrayList<>();
        while (at < text.length && text[at] != '|' && text[at] != ')' && text[at] != '$') {
            parts.add(repeated(atom()));
        }
        return parts.size() == 1 ? parts.getFirst() : new Regex.Sequence(parts);
    }

    private Regex atom() {
        int start = at;
        int c = text[at++];
        return switch (c) {
            case '.' -> new Regex.OneOf(dot);
            case '[' -> new Regex.OneOf(characterClass(start));
            case '(' -> group(start);
            case '\\' -> new Regex.OneOf(escape(start));
            case '^' -> throw anchorFault('^', start);
            case '*', '+', '?' -> throw fault("the quantifier " + Character.toString(c) + " with nothing to repeat",
                    start);
            case '{' -> throw fault("an opening brace that is no quantifier; write \\{ for the character", start);
            default -> new Regex.OneOf(literal(c, start));
        };
    }

    private CodePoints literal(int c, int start) {
        if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
            throw fault("half a surrogate pair", start);
        }
        return CodePoints.of(c);
    }

    private Regex group(int start) {
        if (take('?')) {
            int kind = at < text.length ? text[at] : -1;
            int next = at + 1 < text.length ? text[at + 1] : -1;
            if (kind != ':') {
                throw fault(switch (kind) {
                    case '=' -> "a lookahead (?=";
                    case '!' -> "a negative lookahead (?!";
                    case '>' -> "an atomic group (?>";
                    case '#' -> "a comment (?#";
                    case '<' -> next == '=' || next == '!' ? "a lookbehind (?<" : "a named group (?<";
                    case 'P', '\'' -> "a named group (?" + Character.toString(kind);
                    case -1 -> "an unfinished group (?";
                    default -> "a flag (?" + Character.toString(kind);
                } + ", which is not supported", start);
            }
            at++;
        }
        if (++nesting > MAX_NESTING) {
            throw fault("more than " + MAX_NESTING + " groups one inside another", start);
        }
        Regex body = alternatives();
        nesting--;
        if (!take(')')) {
            throw fault("a group that is not closed", start);
        }
        return body;
    }

    private Regex repeated(Regex body) {
        if (at == text.length) {
            return body;
        }
        int start = at;
        int least;
        int most;
        switch (text[at]) {
            case '*' -> {
                least = 0;
                most = Regex.Repeat.UNBOUNDED;
            }
            case '+' -> {
                least = 1;
                most = Regex.Repeat.UNBOUNDED;
            }
            case '?' -> {
                least = 0;
                most = 1;
            }
            case '{' -> {
                at++;
                least = count(start);
                most = !take(',') ? least : at < text.length && text[at] == '}' ? Regex.Repeat.UNBOUNDED : count(start);
                if (at == text.length || text[at] != '}') {
                    throw brace(start);
                }
                if (most < least) {
                    throw fault("the quantifier {" + least + "," + most + "}, whose most is less than its least",
                            start);
                }
            }
            default -> {
                return body;
            }
        }
        at++;
        // A lazy quantifier finds another match first, but has the same matches.
        take('?');
        if (at < text.length) {
            switch (text[at]) {
                case '+' -> throw fault("a possessive quantifier, which is not supported", start);
                case '*', '?', '{' -> throw fault("a quantifier of a quantifier; write a group", at);
                default -> {
                }
            }
        }
        return new Regex.Repeat(body, least, most);
    }

    private int count(int start) {
        int from = at;
        int count = 0;
        while (at < text.length && text[at] >= '0' && text[at] <= '9') {
            count = count * 10 + text[at++] - '0';
            if (count > MAX_REPEAT) {
                throw fault("a quantifier of more than " + MAX_REPEAT + " times", start);
            }
        }
        if (at == from) {
            throw brace(start);
        }
        return count;
    }

    private ConstraintException brace(int start) {
        return fault("an opening brace that does not begin {m}, {m,} or {m,n}; write \\{ for the character", start);
    }

    /** What a backslash outside of a class means. */
    private CodePoints escape(int start) {
        if (at == text.length) {
            throw fault("a backslash at the end", start);
        }
        int c = text[at++];
        return switch (c) {
            case 'd' -> DIGITS;
            case 'D' -> DIGITS.not();
            case 'w' -> WORD;
            case 'W' -> WORD.not();
            case 's' -> SPACE;
            case 'S' -> SPACE.not();
            case 'n' -> CodePoints.of('\n');
            case 't' -> CodePoints.of('\t');
            case 'r' -> CodePoints.of('\r');
            case 'f' -> CodePoints.of('\f');
            case 'x' -> CodePoints.of(hex(2, start));
            case 'u' -> CodePoints.of(unicode(start));
            case '1', '2', '3', '4', '5', '6', '7', '8', '9', 'k' ->
                throw fault("a backreference, which is not supported", start);
            case 'b', 'B' -> throw fault("a word boundary, which is not supported", start);
            case 'A', 'Z', 'z', 'G' ->
                throw fault("the anchor \\" + Character.toString(c) + ", which is not supported; use ^ and $", start);
            case 'p', 'P' -> throw fault("a Unicode class \\" + Character.toString(c) + ", which is not supported",
                    start);
            default -> {
                if (c < 0x80 && Character.isLetterOrDigit(c)) {
                    throw fault("the escape \\" + Character.toString(c) + ", which is not supported", start);
                }
                yield literal(c, start);
            }
        };
    }

    private int hex(int digits, int start) {
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = at < text.length ? Character.digit(text[at] < 0x80 ? text[at] : '?', 16) : -1;
            if (digit < 0) {
                throw fault("an escape that needs " + digits + " hexadecimal digits", start);
            }
            value = value << 4 | digit;
            at++;
        }
        return value;
    }

    private int unicode(int start) {
        int value = hex(4, start);
        if (value < Character.MIN_SURROGATE || value > Character.MAX_SURROGATE) {
            return value;
        }
        if (value <= Character.MAX_HIGH_SURROGATE && at + 1 < text.length && text[at] == '\\' && text[at + 1] == 'u') {
            at += 2;
            int low = hex(4, start);
            if (low >= Character.MIN_LOW_SURROGATE && low <= Character.MAX_LOW_SURROGATE) {
                return Character.toCodePoint((char) value, (char) low);
            }
        }
        throw fault("half a surrogate pair", start);
    }

    /** The rest of a class whose bracket has been read. */
    private CodePoints characterClass(int start) {
        boolean others = take('^');
        if (at < text.length && text[at] == ']') {
            throw fault("an empty class; write \\] for the character", start);
        }
        CodePoints set = CodePoints.NONE;
        while (true) {
            if (at == text.length) {
                throw fault("a class that is not closed", start);
            }
            if (take(']')) {
                return others ? set.not() : set;
            }
            int itemStart = at;
            CodePoints item = classItem();
            boolean isRange = at + 1 < text.length && text[at] == '-' && text[at + 1] != ']';
            if (isRange) {
                at++;
                int lastStart = at;
                int first = single(item, itemStart);
                int last = single(classItem(), lastStart);
                if (last < first) {
                    throw fault("a range whose end is before its start", itemStart);
                }
                item = CodePoints.range(first, last);
            }
            set = set.or(item);
        }
    }

    private int single(CodePoints item, int start) {
        int[] bounds = item.bounds();
        if (bounds.length != 2 || bounds[0] != bounds[1]) {
            throw fault("a range from or to a class like \\d", start);
        }
        return bounds[0];
    }

    private CodePoints classItem() {
        int start = at;
        int c = text[at++];
        if (c == '\\') {
            return escape(start);
        }
        if (c == '[') {
            throw fault("a class inside a class, which is not supported; write \\[ for the character", start);
        }
        if (c == '&' && at < text.length && text[at] == '&') {
            throw fault("an intersection of classes (&&), which is not supported", start);
        }
        return literal(c, start);
    }

    private boolean take(int c) {
        if (at < text.length && text[at] == c) {
            at++;
            return true;
        }
        return false;
    }

    private ConstraintException anchorFault(char anchor, int position) {
        return fault("the anchor " + anchor + " inside the pattern, which is supported only at its ends", position);
    }

    private ConstraintException fault(String what, int position) {
        String shown = pattern.length() <= 200 ? pattern : pattern.substring(0, 200) + "...";
        return new ConstraintException(
                "The pattern " + Characters.quoted(shown) + " has " + what + " (at character " + (position + 1) + ")");
    }
}
