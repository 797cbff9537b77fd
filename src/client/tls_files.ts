/**
 * What the command line says of TLS, with the files that it names.
 *
 * @module
 */

import type { KeyObject } from "node:crypto";
import { UsageError } from "../runtime/arguments.ts";
import { systemReason } from "../runtime/files.ts";
import type { TlsSettings } from "./options.ts";
import type { Identity, TlsOptions } from "./tls.ts";

/**
 * Reads the files.
 *
 * @throws {UsageError} if one of them isn't there or isn't what it should be, or if something is
 * asked for that the runtime's TLS doesn't have.
 */
export async function loadTls(settings: TlsSettings): Promise<TlsOptions> {
  if (settings.ciphers !== undefined) throw unsupported("--tls-ciphers");
  if (settings.cipherSuites !== undefined) throw unsupported("--tls-ciphersuites");
  return {
    serverName: settings.serverName,
    insecure: settings.insecure,
    authorities: await loadAuthorities(settings),
    identity: await loadIdentity(settings),
  };
}

function unsupported(option: string): UsageError {
  return refusal(`${option} isn't there: the runtime chooses, among safe ones only`);
}

async function loadAuthorities(settings: TlsSettings): Promise<string[] | undefined> {
  const { authoritiesFile: file, authoritiesFolder: folder } = settings;
  if (file === undefined && folder === undefined) return undefined;
  const authorities: string[] = [];
  if (file !== undefined) authorities.push(await readCertificates(file));
  if (folder !== undefined) authorities.push(...await readFolder(folder));
  return authorities;
}

/** The certificates of a folder; other files may be in it, too. */
async function readFolder(folder: string): Promise<string[]> {
  const texts: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if ((await Deno.stat(path)).isFile) texts.push(await Deno.readTextFile(path));
    }
  } catch (error) {
    throw unreadable(folder, error);
  }
  const certificates = texts.filter(hasCertificate);
  if (certificates.length === 0) throw refusal(`no certificate in the folder ${folder}`);
  return certificates;
}

async function loadIdentity(settings: TlsSettings): Promise<Identity | undefined> {
  const { certificateFile, keyFile } = settings;
  if (certificateFile === undefined && keyFile === undefined) return undefined;
  if (certificateFile === undefined || keyFile === undefined) {
    throw refusal("--cert and --key need each other");
  }
  const identity = {
    certificate: await readCertificates(certificateFile),
    key: await readKey(keyFile),
  };
  if (!await belongTogether(identity, keyFile)) {
    throw refusal(`the key in ${keyFile} isn't that of the certificate in ${certificateFile}`);
  }
  return identity;
}

/** Whether a certificate is about a key. The runtime doesn't survive it (Deno 2.4) if it isn't. */
async function belongTogether(identity: Identity, keyFile: string): Promise<boolean> {
  const { createPrivateKey, createPublicKey } = await import("node:crypto");
  const publicPart = (key: KeyObject) => key.export({ format: "pem", type: "spki" });
  let ofKey: string | Uint8Array;
  try {
    ofKey = publicPart(createPublicKey(createPrivateKey(identity.key)));
  } catch {
    throw refusal(`the private key in ${keyFile} can't be read`);
  }
  try {
    return publicPart(createPublicKey(identity.certificate)) === ofKey;
  } catch {
    // Of a kind whose certificates Deno 2.4 can't look into, such as Ed25519.
    return true;
  }
}

async function readCertificates(path: string): Promise<string> {
  const text = await readText(path);
  if (!hasCertificate(text)) throw refusal(`no certificate (PEM) in ${path}`);
  return text;
}

async function readKey(path: string): Promise<string> {
  const text = await readText(path);
  if (/-----BEGIN ENCRYPTED|^Proc-Type:.*ENCRYPTED/m.test(text)) {
    throw refusal(`the key in ${path} is locked by a password, which can't be given`);
  }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw refusal(`no private key (PEM) in ${path}`);
  }
  return text;
}

function hasCertificate(text: string): boolean {
  return text.includes("-----BEGIN CERTIFICATE-----");
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): UsageError {
  return refusal(`${path}: ${systemReason(error)}`);
}

function refusal(reason: string): UsageError {
  return new UsageError(`Could not negotiate a TLS connection: ${reason}`);
}
