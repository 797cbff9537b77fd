/**
 * The types of what this project uses of `@std/streams`.
 *
 * The npm package holds plain JavaScript, so the types are declared here.
 *
 * @module
 */

/** How `TextLineStream` splits its text. */
export interface TextLineStreamOptions {
  /**
   * Whether a single carriage return ends a line too.
   *
   * @default {false}
   */
  allowCR?: boolean;
}

/** Turns chunks of text into lines, without their ends. */
export class TextLineStream extends TransformStream<string, string> {
  /** Makes a stream of lines. */
  constructor(options?: TextLineStreamOptions);
}

/** Whether a delimiter is left out, or stays at the end or the start of its chunk. */
export type DelimiterDisposition = "discard" | "suffix" | "prefix";

/** How a delimiter stream treats its delimiter. */
export interface DelimiterStreamOptions {
  /**
   * Where the delimiter goes.
   *
   * @default {"discard"}
   */
  disposition?: DelimiterDisposition;
}

/** Splits bytes at a delimiter. */
export class DelimiterStream extends TransformStream<Uint8Array, Uint8Array> {
  /** Makes a stream that splits at `delimiter`. */
  constructor(delimiter: Uint8Array, options?: DelimiterStreamOptions);
}

/** Passes bytes on until there were `size` of them. */
export class LimitedBytesTransformStream extends TransformStream<Uint8Array, Uint8Array> {
  /** Makes a stream that ends after `sizeBytes`, or throws there if `error` is set. */
  constructor(sizeBytes: number, options?: { error?: boolean });
}

/** One stream that gives the chunks of each stream, one stream after the other. */
export function concatReadableStreams<T>(...streams: ReadableStream<T>[]): ReadableStream<T>;

/** One stream that gives the chunks of all streams as they come. */
export function mergeReadableStreams<T>(...streams: ReadableStream<T>[]): ReadableStream<T>;

/** All bytes of a stream. */
export function toBytes(stream: ReadableStream<Uint8Array>): Promise<Uint8Array>;

/** All of a stream as text. */
export function toText(
  stream: ReadableStream<string> | ReadableStream<Uint8Array>,
): Promise<string>;
