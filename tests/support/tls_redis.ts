/**
 * A real redis-server that speaks TLS, with certificates made for it.
 *
 * @module
 */

import { freePort } from "./ports.ts";

/** The name that the server's certificate is for, beside 127.0.0.1. */
export const SERVER_NAME = "redis.test";

/** A running server. */
export interface TlsRedis extends AsyncDisposable {
  /** The port where it speaks TLS. */
  readonly port: number;
  /** The port where it doesn't. */
  readonly plainPort: number;
  /**
   * The path of a file: `ca.crt` has signed `server.crt` and `client.crt`, which have `server.key`
   * and `client.key`; `stranger.crt` and its key are signed by nobody else.
   */
  file(name: string): string;
  /** The text of such a file. */
  text(name: string): string;
}

/** Why there can't be such a server here; undefined if there can. */
export async function whyNoTlsRedis(): Promise<string | undefined> {
  if (Deno.build.os === "windows") return "Redis doesn't run on Windows";
  if (await run(".", "openssl", "version") === undefined) return "there is no openssl here";
  const help = await run(".", "redis-cli", "--help");
  if (help === undefined) return "there is no Redis here";
  return help.includes("--tls") ? undefined : "the Redis here was built without TLS";
}

/**
 * Starts a server.
 *
 * @param clientsNeedCertificate Whether it asks clients for a certificate.
 */
export async function startTlsRedis(clientsNeedCertificate = false): Promise<TlsRedis> {
  const folder = await Deno.makeTempDir({ prefix: "tls-redis-" });
  await makeCertificates(folder);
  const [port, plainPort] = [freePort(), freePort()];
  const process = new Deno.Command("redis-server", {
    args: [
      ...["--port", `${plainPort}`, "--tls-port", `${port}`, "--bind", "127.0.0.1"],
      ...["--tls-cert-file", "server.crt", "--tls-key-file", "server.key"],
      ...["--tls-ca-cert-file", "ca.crt"],
      ...["--tls-auth-clients", clientsNeedCertificate ? "yes" : "no", "--save", ""],
    ],
    cwd: folder,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await listens(port);
  const file = (name: string) => `${folder}/${name}`;
  return {
    port,
    plainPort,
    file,
    text: (name) => Deno.readTextFileSync(file(name)),
    async [Symbol.asyncDispose](): Promise<void> {
      process.kill("SIGKILL");
      await process.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function makeCertificates(folder: string): Promise<void> {
  const openssl = async (...args: string[]) => {
    if (await run(folder, "openssl", ...args) === undefined) throw new Error(`openssl ${args[0]}`);
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  for (const name of ["ca", "stranger"]) {
    const files = ["-keyout", `${name}.key`, "-out", `${name}.crt`];
    await openssl("req", "-x509", ...newKey, ...files, "-days", "2", "-subj", `/CN=${name}`);
  }
  await Deno.writeTextFile(`${folder}/names`, `subjectAltName=DNS:${SERVER_NAME},IP:127.0.0.1\n`);
  for (const name of ["server", "client"]) {
    const request = ["-keyout", `${name}.key`, "-out", `${name}.csr`];
    await openssl("req", ...newKey, ...request, "-subj", `/CN=${name}`);
    const files = ["-in", `${name}.csr`, "-out", `${name}.crt`, "-extfile", "names"];
    const signer = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
    await openssl("x509", "-req", ...files, ...signer, "-days", "2");
  }
}

/** Runs a program to its end; what it wrote, or undefined if there is none, or it failed. */
async function run(
  folder: string,
  program: string,
  ...args: string[]
): Promise<string | undefined> {
  try {
    const command = new Deno.Command(program, { args, cwd: folder, stderr: "null" });
    const { success, stdout } = await command.output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Waits until somebody listens; gives up after five seconds. */
async function listens(port: number): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (attempt === 500) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
