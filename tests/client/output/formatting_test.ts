import { assertEquals } from "@std/assert";
import { formatForPeople, formatRaw } from "../../../src/client/output/formatting.ts";
import { latin1Bytes, latin1Text } from "../../../src/client/quoting.ts";
import { parse } from "./wire.ts";

function people(wire: string): string {
  return latin1Text(formatForPeople(parse(wire)));
}

function raw(wire: string, delimiter = "\n"): string {
  return latin1Text(formatRaw(parse(wire), latin1Bytes(delimiter)));
}

Deno.test("a scalar tells people its type", () => {
  assertEquals(people("+OK;"), "OK");
  assertEquals(people("-ERR no;"), "(error) ERR no");
  assertEquals(people("!6;ERR no;"), "(error) ERR no");
  assertEquals(people(":-5;"), "(integer) -5");
  assertEquals(people(":9223372036854775807;"), "(integer) 9223372036854775807");
  assertEquals(people('$3;a"\n;'), '"a\\"\\n"');
  for (const wire of ["$-1;", "*-1;", "_;"]) assertEquals(people(wire), "(nil)");
  assertEquals(people(",2.50;"), "(double) 2.50");
  assertEquals(people(",-inf;"), "(double) -inf");
  assertEquals(people("#t;") + people("#f;"), "(true)(false)");
  assertEquals(people("(123456789012345678901;"), "(big number) 123456789012345678901");
  assertEquals(people("=7;txt:a\nb;"), "a\nb");
});

Deno.test("elements are numbered, with a sign for the kind of aggregate", () => {
  assertEquals(people("*2;:1;$1;a;"), '1) (integer) 1\n2) "a"');
  assertEquals(people("~2;:1;:2;"), "1~ (integer) 1\n2~ (integer) 2");
  assertEquals(people(">2;:1;:2;"), "1) (integer) 1\n2) (integer) 2");
  assertEquals(people("%2;+a;:1;+b;:2;"), "1# a => (integer) 1\n2# b => (integer) 2");
  assertEquals(people("*0;"), "(empty array)");
  assertEquals(people("~0;"), "(empty set)");
  assertEquals(people("%0;"), "(empty hash)");
  assertEquals(
    people("*10;" + "+a;".repeat(10)),
    " 1) a\n 2) a\n 3) a\n 4) a\n 5) a\n 6) a\n 7) a\n 8) a\n 9) a\n10) a",
  );
});

Deno.test("what is nested stands behind its number", () => {
  assertEquals(people("*2;*2;*1;+a;*0;+b;"), "1) 1) 1) a\n   2) (empty array)\n2) b");
  assertEquals(people("*2;~2;+a;+b;%1;+k;+v;"), "1) 1~ a\n   2~ b\n2) 1# k => v");
});

Deno.test("a map's value starts on a line of its own if it has several elements", () => {
  assertEquals(people("%1;+k;*1;+a;"), "1# k => 1) a");
  assertEquals(people("%1;+k;*2;+a;+b;"), "1# k => \n   1) a\n   2) b");
  assertEquals(people("%1;+k;*1;*2;+a;+b;"), "1# k => \n   1) 1) a\n      2) b");
  assertEquals(people("%1;+k;%1;+l;~2;+a;+b;"), "1# k => \n   1# l => \n      1~ a\n      2~ b");
  assertEquals(people("%1;+k;%1;*2;+a;+b;+v;"), "1# k => 1# 1) a\n      2) b => v");
});

Deno.test("attributes stand in front of their reply", () => {
  assertEquals(people("|1;+ttl;:5;$1;a;"), '1| ttl => (integer) 5\n"a"');
});

Deno.test("a raw reply is its content, and nothing else", () => {
  assertEquals(raw("+OK;"), "OK");
  assertEquals(raw("-ERR no;"), "ERR no\n");
  assertEquals(raw(":5;"), "5");
  assertEquals(raw("$3;a\n\xff;"), "a\n\xff");
  assertEquals(raw("$-1;"), "");
  assertEquals(raw(",2.50;"), "2.50");
  assertEquals(raw("#t;"), "(true)");
  assertEquals(raw("(12;"), "12");
  assertEquals(raw("=5;txt:a;"), "a");
  assertEquals(raw("*3;:1;*2;:2;$-1;:3;"), "1\n2\n\n3");
  assertEquals(raw("*2;:1;:2;", ", "), "1, 2");
  assertEquals(raw("%2;+a;:1;+b;*2;:2;:3;"), "a 1\nb 2\n3");
  assertEquals(raw("*2;-ERR no;:1;"), "ERR no\n\n1");
});
