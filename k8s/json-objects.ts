/**
 * Cuts the objects out of JSON that arrives in pieces: those of a watch, which follow one another, or the
 * items of a list, one at a time, so that a list of any size never stands in memory as text and its pieces
 * can be worked on turn by turn. It looks at brackets and strings only; whether an object is well-formed is
 * seen when its text is parsed. Pieces may end anywhere, inside a UTF-8 sequence too.
 */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** A single object of the API; etcd holds 1.5 MB by default. */
export const OBJECT_BYTES_MAX = 8 * 1024 * 1024;
/** What stands around the items of a list. */
const ENVELOPE_BYTES_MAX = 1024 * 1024;

/** What is wrong with the text. */
export class JsonProblem {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

type Take = (text: string) => void;

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Bytes that belong together, over several pieces. */
class Pieces {
  readonly #pieces: Uint8Array[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  get text(): string {
    return Buffer.concat(this.#pieces).toString('utf8');
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#bytes = 0;
  }
}

export class JsonObjects {
  /** How deep the objects begin: 0 for those of a watch, 2 for the items of a list. */
  readonly #baseDepth: 0 | 2;
  readonly #item = new Pieces();
  readonly #envelope = new Pieces();
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Inside of `"items": [...]`; always so for a watch. */
  #inItems: boolean;
  /** The one object of a list is complete. */
  #complete = false;

  constructor(of: 'watch' | 'list') {
    this.#baseDepth = of === 'watch' ? 0 : 2;
    this.#inItems = of === 'watch';
  }

  /** Hands the text of each object that is complete to `take`, which must not throw. */
  feed(chunk: Buffer, take: Take): JsonProblem | undefined {
    const base = this.#baseDepth;
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      if (this.#inString) {
        i = this.#skipString(chunk, i);
        continue;
      }
      const byte = chunk[i] as number;
      const outside = this.#inItems && this.#depth === base;
      if (outside) {
        if (byte === OPEN_BRACE) {
          start = i;
          this.#depth++;
        } else if (base === 2 && byte === CLOSE_BRACKET) {
          start = i;
          this.#inItems = false;
          this.#depth--;
        } else if (!isSpace(byte) && !(base === 2 && byte === COMMA)) {
          return unexpected(chunk, i);
        }
        continue;
      }
      if (byte === QUOTE) {
        if (this.#depth === 0) return unexpected(chunk, i);
        this.#inString = true;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (this.#depth === 0 && (byte === OPEN_BRACKET || this.#complete)) return unexpected(chunk, i);
        this.#depth++;
        if (base === 2 && !this.#inItems && this.#depth === 2 && byte === OPEN_BRACKET) {
          this.#envelope.add(chunk.subarray(start, i + 1));
          start = i + 1;
          this.#inItems = /(?<!\\)"items"\s*:\s*\[$/.test(this.#envelope.text);
        }
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth--;
        if (this.#inItems && this.#depth === base) {
          take(this.#finished(chunk, start, i + 1));
          start = i + 1;
        } else if (this.#depth <= 0) {
          if (this.#depth < 0) return unexpected(chunk, i);
          this.#complete = true;
        }
      } else if (this.#depth === 0 && !isSpace(byte)) {
        return unexpected(chunk, i);
      }
    }
    return this.#keep(chunk, start);
  }

  /** The text that stood around the items of a list, without them; a problem when it is not complete. */
  end(): string | JsonProblem {
    if (this.#baseDepth === 0) {
      return this.#depth === 0 ? '' : new JsonProblem('it ends in the middle of an object');
    }
    return this.#complete ? this.#envelope.text : new JsonProblem('it ends before the list does');
  }

  /** From within a string: where it ends, or the end of the piece. */
  #skipString(chunk: Buffer, from: number): number {
    let i = from;
    if (this.#escaped) {
      this.#escaped = false;
      i++;
    }
    for (; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === BACKSLASH) {
        i++;
        this.#escaped = i === chunk.length;
      } else if (byte === QUOTE) {
        this.#inString = false;
        break;
      }
    }
    return i;
  }

  #finished(chunk: Buffer, start: number, end: number): string {
    if (this.#item.bytes === 0) return chunk.toString('utf8', start, end);
    this.#item.add(chunk.subarray(start, end));
    const { text } = this.#item;
    this.#item.clear();
    return text;
  }

  #keep(chunk: Buffer, start: number): JsonProblem | undefined {
    if (!this.#inItems) {
      this.#envelope.add(chunk.subarray(start));
    } else if (this.#depth > this.#baseDepth) {
      this.#item.add(chunk.subarray(start));
    }
    if (this.#item.bytes > OBJECT_BYTES_MAX) {
      return new JsonProblem(`an object is longer than ${OBJECT_BYTES_MAX} bytes`);
    }
    if (this.#envelope.bytes > ENVELOPE_BYTES_MAX) {
      return new JsonProblem(`a list has more than ${ENVELOPE_BYTES_MAX} bytes besides its items`);
    }
    return undefined;
  }
}

function unexpected(chunk: Buffer, at: number): JsonProblem {
  const text = chunk.toString('latin1', at, at + 40).replace(/[^ -~]+/g, ' ');
  return new JsonProblem(`it is not what the Kubernetes API sends, near '${text}'`);
}
