/**
 * Reads paths, prefixes, name trees, dentries and dtabs. Grammar: linkerd's (spec of names, finagle's
 * parsers). The readers throw DtabSyntaxError and nothing else, whatever the text, and take time linear in
 * its length.
 *
 *     tree     := union ("|" union)*          union  := weighted ("&" weighted)*
 *     weighted := [number "*"] simple         simple := path | "!" | "~" | "$" | "(" tree ")"
 *     dentry   := prefix "=>" tree            dtab   := [dentry (";" dentry)* [";"]]
 */
import {
  type Dentry,
  type Dtab,
  empty,
  fail,
  leaf,
  type NameTree,
  neg,
  type Prefix,
  type Weighted,
} from './names.ts';
import { Path } from './path.ts';
import { END, type Origin, Scanner } from './scanner.ts';

const NESTING_MAX = 100;
const SEGMENTS_MAX = 10_000;

const [SLASH, STAR, BACKSLASH, DOT, SEMICOLON] = [0x2f, 0x2a, 0x5c, 0x2e, 0x3b];
const [PIPE, AMPERSAND, OPEN, CLOSE] = [0x7c, 0x26, 0x28, 0x29];
const [BANG, TILDE, DOLLAR] = [0x21, 0x7e, 0x24];
const [EQUALS, GREATER, LETTER_X] = [0x3d, 0x3e, 0x78];

const SHOWABLE: readonly boolean[] = Array.from({ length: 128 }, (_, code) =>
  /[0-9A-Za-z_:.#$%-]/.test(String.fromCharCode(code)),
);

export function readPath(text: string, origin?: Origin): Path {
  return read(text, origin, (parser) => parser.path(), 'the end of the path');
}

export function readPrefix(text: string, origin?: Origin): Prefix {
  return read(text, origin, (parser) => parser.prefix(), 'the end of the prefix');
}

export function readTree(text: string, origin?: Origin): NameTree<Path> {
  return read(text, origin, (parser) => parser.tree(), "'|', '&' or the end of the tree");
}

export function readDentry(text: string, origin?: Origin): Dentry {
  return read(text, origin, (parser) => parser.dentry(), "'|', '&' or the end of the entry");
}

/** Each dentry knows its place in the source. */
export function readDtab(text: string, origin?: Origin): Dtab {
  return read(text, origin, (parser) => parser.dtab(), "'|', '&', ';' or the end of the dtab");
}

function read<T>(text: string, origin: Origin | undefined, what: (parser: Parser) => T, end: string): T {
  const scanner = new Scanner(text, origin);
  const value = what(new Parser(scanner));
  scanner.expectEnd(end);
  return value;
}

class Parser {
  readonly #scanner: Scanner;
  #nesting = 0;

  constructor(scanner: Scanner) {
    this.#scanner = scanner;
  }

  path(): Path {
    this.#scanner.skipBlanks();
    this.#scanner.expect(SLASH, "a path, which starts with '/'");
    if (!isLabelStart(this.#scanner.peek())) return Path.empty;
    const segments: string[] = [];
    do {
      this.#boundSegments(segments.length);
      segments.push(this.#label());
    } while (this.#scanner.take(SLASH));
    return new Path(segments);
  }

  prefix(): Prefix {
    const scanner = this.#scanner;
    scanner.skipBlanks();
    scanner.expect(SLASH, "a prefix, which starts with '/'");
    if (!isLabelStart(scanner.peek()) && scanner.peek() !== STAR) return [];
    const elements: (string | null)[] = [];
    do {
      this.#boundSegments(elements.length);
      elements.push(scanner.take(STAR) ? null : this.#label());
    } while (scanner.take(SLASH));
    return elements;
  }

  tree(): NameTree<Path> {
    const first = this.#union();
    if (this.#scanner.peek() !== PIPE) return first;
    const trees = [first];
    while (this.#scanner.take(PIPE)) trees.push(this.#union());
    return { type: 'alt', trees };
  }

  dentry(): Dentry {
    const scanner = this.#scanner;
    scanner.skipBlanks();
    const position = { ...scanner.position(scanner.offset), source: scanner.source };
    const prefix = this.prefix();
    scanner.skipBlanks();
    const start = scanner.offset;
    if (!scanner.take(EQUALS) || !scanner.take(GREATER)) {
      // A lone '=' is reported where what should follow it is missing.
      scanner.fail(scanner.offset === start ? "'=>' after the prefix" : "'>' after '='");
    }
    return { prefix, dst: this.tree(), position };
  }

  dtab(): Dtab {
    const scanner = this.#scanner;
    const dentries: Dentry[] = [];
    do {
      scanner.skipBlanks();
      if (scanner.peek() === END) break;
      dentries.push(this.dentry());
      scanner.skipBlanks();
    } while (scanner.take(SEMICOLON));
    return dentries;
  }

  #union(): NameTree<Path> {
    const first = this.#weighted();
    this.#scanner.skipBlanks();
    // The weight of a lone tree has nothing to be relative to.
    if (this.#scanner.peek() !== AMPERSAND) return first.tree;
    const trees = [first];
    while (this.#scanner.take(AMPERSAND)) {
      trees.push(this.#weighted());
      this.#scanner.skipBlanks();
    }
    return { type: 'union', trees };
  }

  #weighted(): Weighted<Path> {
    const scanner = this.#scanner;
    scanner.skipBlanks();
    if (!isNumeric(scanner.peek())) return { weight: 1, tree: this.#simple('a name tree') };
    const weight = this.#number();
    scanner.skipBlanks();
    scanner.expect(STAR, "'*' after the weight");
    scanner.skipBlanks();
    return { weight, tree: this.#simple("a name tree after '*'") };
  }

  #simple(expected: string): NameTree<Path> {
    const scanner = this.#scanner;
    switch (scanner.peek()) {
      case SLASH:
        return leaf(this.path());
      case OPEN:
        return this.#parentheses();
      case BANG:
        scanner.offset++;
        return fail;
      case TILDE:
        scanner.offset++;
        return neg;
      case DOLLAR:
        scanner.offset++;
        return empty;
      default:
        return scanner.fail(expected);
    }
  }

  #parentheses(): NameTree<Path> {
    const scanner = this.#scanner;
    if (++this.#nesting > NESTING_MAX) scanner.fail(`at most ${NESTING_MAX} nested parentheses`, 'one more');
    scanner.offset++;
    const tree = this.tree();
    scanner.skipBlanks();
    scanner.expect(CLOSE, "'|', '&' or ')'");
    this.#nesting--;
    return tree;
  }

  #number(): number {
    const scanner = this.#scanner;
    const start = scanner.offset;
    let dotted = false;
    while (isNumeric(scanner.peek())) {
      if (scanner.peek() === DOT) {
        if (dotted) scanner.fail('a weight with one dot');
        dotted = true;
      }
      scanner.offset++;
    }
    const digits = scanner.text.slice(start, scanner.offset);
    if (digits === '.') scanner.fail("digits beside the '.' of a weight");
    const weight = Number(digits);
    if (!Number.isFinite(weight)) {
      scanner.offset = start;
      scanner.fail('a weight that fits a double');
    }
    return weight;
  }

  #label(): string {
    const scanner = this.#scanner;
    let label = '';
    do {
      const start = scanner.offset;
      while (isShowable(scanner.peek())) scanner.offset++;
      if (scanner.offset > start) label += scanner.text.slice(start, scanner.offset);
      else if (scanner.take(BACKSLASH)) label += this.#escape();
      else scanner.fail('a label');
    } while (isLabelStart(scanner.peek()));
    return label;
  }

  #escape(): string {
    this.#scanner.expect(LETTER_X, "'x' after '\\'");
    const high = this.#hexDigit();
    return String.fromCharCode(high * 16 + this.#hexDigit());
  }

  #hexDigit(): number {
    const code = this.#scanner.peek();
    let value = -1;
    if (code >= 0x30 && code <= 0x39) value = code - 0x30;
    // Clearing this bit makes a letter upper case.
    const upper = code & ~0x20;
    if (code > 0 && upper >= 0x41 && upper <= 0x46) value = upper - 0x41 + 10;
    if (value === -1) this.#scanner.fail('a hex digit');
    this.#scanner.offset++;
    return value;
  }

  #boundSegments(count: number): void {
    if (count >= SEGMENTS_MAX) this.#scanner.fail(`at most ${SEGMENTS_MAX} segments`, 'one more');
  }
}

function isShowable(code: number): boolean {
  return SHOWABLE[code] === true;
}

function isLabelStart(code: number): boolean {
  return isShowable(code) || code === BACKSLASH;
}

function isNumeric(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === DOT;
}
