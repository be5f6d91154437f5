/**
 * Bounds on what one peer may send in a head, a chunk header or a trailer section. Bytes unless said
 * otherwise.
 */
export type HeadLimits = {
  /** Request or status line. */
  readonly initialLineBytes: number;
  /** The whole head, initial line and final CRLF included. */
  readonly headBytes: number;
  readonly lines: number;
};

export const HEAD_LINES_MAX = 1000;
export const TRAILER_BYTES_MAX = 8192;
export const TRAILER_LINES_MAX = 64;
/**
 * Size, extensions and CRLF of one chunk header. Extensions are read over, so this bounds what they may cost.
 */
export const CHUNK_LINE_BYTES_MAX = 1024;
/** A body may not carry more extension bytes than this in all (CVE-2024-22019 of Node). */
export const CHUNK_EXTENSION_BYTES_MAX = 16384;
/** Informational responses before the final one. */
export const INFORMATIONAL_MAX = 16;
