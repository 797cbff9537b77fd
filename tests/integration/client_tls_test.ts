/** The client's TLS in a process of its own, with the permissions that it has there. */

import { assertEquals, assertMatch } from "@std/assert";
import { runProgram } from "../support/program.ts";
import { startTlsRedis, whyNoTlsRedis } from "../support/tls_redis.ts";

const ABSENT = await whyNoTlsRedis();
if (ABSENT !== undefined) console.log(`TLS isn't tested: ${ABSENT}`);

/** Versions of the runtime that can't send a certificate say so. */
const UNSENT = /^Error: the server wants a certificate, and this version of the runtime .*\n$/;

for (const [demand, wantsCertificate] of [["no", false], ["a", true]] as const) {
  Deno.test({
    name: `a server that wants ${demand} certificate`,
    ignore: ABSENT !== undefined,
    async fn() {
      await using redis = await startTlsRedis(wantsCertificate);
      const ours = ["--cert", redis.file("client.crt"), "--key", redis.file("client.key")];
      const ping = (...options: string[]) => {
        const certificate = wantsCertificate ? ours : [];
        return runProgram([
          ...["client", "-p", `${redis.port}`, "--tls"],
          ...[...options, ...certificate, "PING"],
        ]);
      };
      const answered = { code: 0, stdout: "PONG\n", stderr: "" };
      assertEquals(await ping("--cacert", redis.file("ca.crt")), answered);
      const insecure = await ping("--insecure");
      if (wantsCertificate && insecure.code === 1) assertMatch(insecure.stderr, UNSENT);
      else assertEquals(insecure, answered);
      const { code, stdout, stderr } = await ping();
      assertEquals([code, stdout], [1, ""]);
      assertMatch(stderr, /^Could not connect .*: nobody who is trusted has signed .*\n$/);
    },
  });
}
