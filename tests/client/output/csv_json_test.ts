import { assertEquals } from "@std/assert";
import { formatCsv } from "../../../src/client/output/csv.ts";
import { formatJson } from "../../../src/client/output/json.ts";
import { latin1Text } from "../../../src/client/quoting.ts";
import { parse } from "./wire.ts";

const csv = (wire: string) => latin1Text(formatCsv(parse(wire)));
const json = (wire: string) => latin1Text(formatJson(parse(wire), "plain"));
const quotedJson = (wire: string) => latin1Text(formatJson(parse(wire), "quoted"));

Deno.test("CSV has a line for a reply", () => {
  assertEquals(csv("+OK;"), '"OK"');
  assertEquals(csv("-ERR no;"), 'ERROR,"ERR no"');
  assertEquals(csv(":-9223372036854775808;"), "-9223372036854775808");
  assertEquals(csv('$4;a"\n\xff;'), '"a\\"\\n\\xff"');
  assertEquals(csv("=5;txt:a;"), '"a"');
  assertEquals(csv(",1.50;"), "1.50");
  assertEquals(csv(",-inf;"), "-inf");
  for (const wire of ["$-1;", "*-1;", "_;"]) assertEquals(csv(wire), "NULL");
  assertEquals(csv("#t;") + csv("#f;"), "truefalse");
  assertEquals(csv("*0;"), "");
  assertEquals(csv("*3;:1;*2;+a;*0;~1;_;"), '1,"a",,NULL');
  assertEquals(csv("%2;+a;:1;+b;%1;+c;:2;"), '"a",1,"b","c",2');
});

Deno.test("JSON gives bytes as they are", () => {
  assertEquals(json("+OK;"), '"OK"');
  assertEquals(json("-ERR no;"), 'error:"ERR no"');
  assertEquals(json(":9223372036854775807;"), "9223372036854775807");
  assertEquals(
    json('$13;"\\/\b\f\n\r\t\0\x1f\x7f\xc3\xa9;'),
    '"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\xc3\xa9"',
  );
  assertEquals(json("$1;\xff;"), '"\xff"');
  assertEquals(json(",inf;"), "inf");
  assertEquals(json("*3;_;#t;#f;"), "[null,true,false]");
  assertEquals(json("~0;") + json("*0;") + json("%0;"), "[][]{}");
  assertEquals(json("%2;$1;a;:1;+b;*1;%1;+c;$0;;"), '{"a":1,"b":[{"c":""}]}');
});

Deno.test("a key of JSON that is no string is put in quotes", () => {
  assertEquals(
    json("%4;:1;:2;#t;_;*2;:1;+a;:3;,1.5;_;"),
    '{"1":2,"true":null,"[1,"a"]":3,"1.5":null}',
  );
  assertEquals(json("%1;-ERR x;:1;"), '{error:"ERR x":1}');
});

Deno.test("quoted JSON is ASCII", () => {
  assertEquals(quotedJson("$4;a\n\xff\\;"), '"a\\\\n\\\\xff\\\\\\\\"');
  assertEquals(quotedJson('$1;";'), '"\\\\""');
  assertEquals(quotedJson("%1;$1;\x01;*1;-E \x02;"), '{"\\\\x01":[error:"E \\\\x02"]}');
});
