/**
 * What a server finds of its append-only file when it starts: the manifest, and what has to be done before its files can be read.
 *
 * @module
 */
import {
  type AofManifest,
  EMPTY_MANIFEST,
  ManifestError,
  manifestName,
  manifestOfOldFile,
  parseManifest,
  temporaryIncrementName,
  withoutHistory,
} from "../persistence/aof_manifest.ts";
import { folderOf, removeQuietly, systemReason } from "../runtime/files.ts";
import { FatalLoadError } from "./loading.ts";
import type { Server } from "./server.ts";

/**
 * The manifest of the append-only file, with files removed that no start needs any more, and with a file of versions before
 * 7.0 brought into the folder; one without files if there is nothing. `prepares`: whether the disk may be changed.
 *
 * @throws {FatalLoadError} if it can't be used.
 */
export function readManifest(server: Server, prepares: boolean): AofManifest {
  const { files, persistence: { aof } } = server;
  const { folder, name } = aof.settings;
  const path = `${folder}/${manifestName(name)}`;
  let manifest: AofManifest | null = null;
  try {
    if (files.exists(path)) manifest = parseManifest(files.readText(path));
  } catch (error) {
    if (!(error instanceof ManifestError)) {
      throw new FatalLoadError(
        `Fatal error: can't open the AOF manifest file ${manifestName(name)} for reading: ${
          systemReason(error)
        }`,
      );
    }
    for (const text of error.logTexts) server.logger.log("warning", text.trim());
    throw new FatalLoadError("Fatal error loading the AOF manifest, check server logs. Exiting.");
  }
  if (!prepares) return manifest ?? EMPTY_MANIFEST;
  try {
    return prepare(server, manifest);
  } catch (error) {
    throw new FatalLoadError(`Can't prepare the append-only file: ${systemReason(error)}`);
  }
}

/** Upgrades what is old, and removes what is left over. */
function prepare(server: Server, read: AofManifest | null): AofManifest {
  const { files, logger, persistence: { aof } } = server;
  const { folder, name } = aof.settings;
  const old = server.pathOf(name);
  let manifest = read ?? EMPTY_MANIFEST;
  const begun = manifest.base?.name === name && manifest.increments.length === 0 &&
    !files.exists(`${folder}/${name}`);
  if ((read === null || begun) && files.exists(old)) {
    logger.log(
      "notice",
      `Successfully migrated an old-style AOF configuration (${name}) into the AOF directory (${folder}).`,
    );
    files.makeFolder(folder);
    files.syncFolder(folderOf(folder));
    manifest = manifestOfOldFile(name);
    aof.storeManifestNow(manifest);
    // That this lasts is seen to when the file is opened.
    files.rename(old, `${folder}/${name}`);
  }
  removeQuietly(files, `${folder}/${temporaryIncrementName(name)}`);
  if (manifest.history.length > 0 && !aof.settings.keepsHistory) {
    for (const one of manifest.history) removeQuietly(files, `${folder}/${one.name}`);
    manifest = withoutHistory(manifest);
    aof.storeManifestNow(manifest);
  }
  return manifest;
}
