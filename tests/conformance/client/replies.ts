/**
 * Replies of every shape, as they are on the wire.
 *
 * @module
 */

/** Replies by name; a character for each byte, with `;` for each line's end. */
const WRITTEN: Readonly<Record<string, string>> = {
  "status": "+OK;",
  "empty status": "+;",
  "status with quotes": '+a "b" \\ c;',
  "status of bytes": "+\xc3\xa9\xff;",
  "error": "-ERR no such thing;",
  "error of one word": "-NOAUTH;",
  "error with quotes": '-ERR "a" \\;',
  "zero": ":0;",
  "integer": ":42;",
  "negative integer": ":-7;",
  "largest integer": ":9223372036854775807;",
  "smallest integer": ":-9223372036854775808;",
  "beyond a double": ":9007199254740993;",
  "bulk": "$5;hello;",
  "empty bulk": "$0;;",
  "bulk of lines": "$6;a\r\nb\nc;",
  "control characters": "$13;\0\x01\x07\b\t\n\v\f\r\x1b\x1f \x7f;",
  "quotes": "$5;\"'\\/`;",
  "UTF-8": "$12;\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80abc;",
  "broken UTF-8": "$7;\xc3(\xff\xfe\xed\xa0\x80;",
  "null of RESP2": "$-1;",
  "null array of RESP2": "*-1;",
  "null": "_;",
  "true": "#t;",
  "false": "#f;",
  "double": ",3.141;",
  "whole double": ",10;",
  "double with zeros": ",1.5000;",
  "double with exponent": ",1e-05;",
  "minus zero": ",-0;",
  "infinite": ",inf;",
  "minus infinite": ",-inf;",
  "not a number": ",nan;",
  "big number": "(1234567999999999999999999999999999999;",
  "negative big number": "(-5;",
  "big number in an array": "*2;:1;(5;",
  "verbatim text": "=15;txt:Some string;",
  "verbatim markdown": "=9;mkd:# a\nb;",
  "empty verbatim": "=4;txt:;",
  "error with a length": "!8;ERR a\r\nb;",
  "attributes": "|1;+key;:1;+OK;",
  "attributes in an array": "*1;|1;+key;:1;+OK;",
  "empty array": "*0;",
  "empty set": "~0;",
  "empty map": "%0;",
  "array": "*3;$1;a;$1;b;$1;c;",
  "array of one": "*1;$1;a;",
  "array of everything": "*9;+OK;:1;$1;a;_;#t;,1.5;=5;txt:v;-ERR x;*0;",
  "array of nulls": "*3;$-1;*-1;_;",
  "array of empty ones": "*4;*0;~0;%0;$0;;",
  "nested array": "*3;*2;:1;:2;*1;*2;$1;a;*0;:3;",
  "deep array": "*1;".repeat(12) + ":1;",
  "wide nested array": "*12;" + "*2;$1;k;:1;".repeat(12),
  "long array": "*120;" + Array.from({ length: 120 }, (_, index) => `:${index};`).join(""),
  "set": "~3;:1;$1;b;+c;",
  "set in a set": "~2;~2;:1;:2;~1;:3;",
  "ten of a set": "~10;" + ":7;".repeat(10),
  "map": "%2;$1;a;:1;$1;b;:2;",
  "map with values of several lines": "%3;$1;a;*2;:1;:2;$1;b;%1;+c;*2;:1;:2;+d;~1;:1;",
  "map with keys of each type":
    "%8;:1;+a;,1.5;+b;#t;+c;_;+d;+s;+e;=5;txt:v;+f;*2;:1;$1;x;+g;~0;+h;",
  "map with an error as key": "%1;-ERR k;-ERR v;",
  "map in an array": "*2;%1;$1;a;:1;%1;$1;b;*0;",
  "push in an array": "*2;>2;+a;:1;:2;",
  "map with a map as key": "%1;%1;:1;:2;:3;",
  "large map": "%11;" + Array.from({ length: 11 }, (_, index) => `+k${index};:${index};`).join(""),
  "map of quotes": '%1;$3;a"b;$3;\\\xff\n;',
  "what is no reply": "HTTP/1.1 400 Bad Request;",
  "a bad type": "*2;:1;@2;",
};

/** The replies, by name; a character for each byte. */
export const REPLIES: ReadonlyMap<string, string> = new Map(
  Object.entries(WRITTEN).map(([name, text]) => [name, text.replaceAll(";", "\r\n")]),
);

/** Options that say how replies are printed. */
export const FORMATS = ["--raw", "--no-raw", "--csv", "--json", "--quoted-json"] as const;
