/**
 * The values of all settings of one server.
 *
 * Each is kept as the text that CONFIG GET shows; see `runtime/setting.ts` for the kinds of values
 * and `settings/table.ts` for the table.
 *
 * @module
 */
import { globMatch } from "../keyspace/glob.ts";
import type { Directive } from "../runtime/config_lines.ts";
import { type Setting, SettingsError } from "../runtime/setting.ts";
import { findSetting, SETTINGS } from "./settings/table.ts";

export type { Directive } from "../runtime/config_lines.ts";
export { type Setting, SettingsError, type SettingTraits } from "../runtime/setting.ts";
export { findSetting, SETTING_GROUPS, SETTINGS } from "./settings/table.ts";

const encoder = new TextEncoder();

/** The values of all settings of one server. */
export class Settings {
  private values = new Map<string, string>();
  /** Settings that directives have set; `save` adds to what a directive before it has set. */
  private readonly given = new Set<string>();

  /**
   * Starts from the defaults and `options`.
   *
   * @throws {SettingsError} if an option isn't a setting or can't have its value.
   */
  constructor(options: Readonly<Record<string, string>> = {}) {
    for (const setting of SETTINGS) this.values.set(setting.name, setting.default);
    for (const directive of directivesOf(options)) this.load(directive);
  }

  /**
   * Takes a directive of the config file or of the command line.
   *
   * @throws {SettingsError} with the reason that Redis would give.
   */
  load(directive: Directive): void {
    const [name, ...words] = directive;
    const setting = findSetting(name);
    if (setting === undefined) {
      throw new SettingsError("Bad directive or wrong number of arguments");
    }
    if (!setting.manyWords && words.length !== 1) {
      throw new SettingsError("wrong number of arguments");
    }
    const before = this.values.get(setting.name)!;
    const value = setting.read(words, before);
    const adds = setting.name === "save" && this.given.has("save") && value !== "";
    this.values.set(setting.name, adds ? `${before} ${value}`.trim() : value);
    this.given.add(setting.name);
  }

  /** The value of a setting as text. */
  text(name: string): string {
    return this.values.get(name)!;
  }

  /** The value of a setting as a number; beyond 2^53 the nearest one. */
  number(name: string): number {
    return Number(this.values.get(name));
  }

  /** Whether a setting is `yes`. */
  isOn(name: string): boolean {
    return this.values.get(name) === "yes";
  }

  /** The words of a setting that has several. */
  words(name: string): string[] {
    return this.text(name).split(" ").filter(Boolean);
  }

  /** The value of a setting that is a number, or a percentage of `whole`. */
  share(name: string, whole: number): number {
    const value = this.text(name);
    return value.endsWith("%") ? whole / 100 * Number(value.slice(0, -1)) : Number(value);
  }

  /** Whether no directive has set anything. */
  get isUntouched(): boolean {
    return this.given.size === 0;
  }

  /** The first setting with a value that it can't have yet. */
  refused(): Setting | undefined {
    return this.changed().find((setting) => setting.refused !== undefined);
  }

  /** Puts a value that the server itself has found in the place of a setting's. */
  replace(name: string, value: string): void {
    this.values.set(name, value);
  }

  /** Settings that somebody has set to something else than their default. */
  changed(): Setting[] {
    return SETTINGS.filter(({ name, default: preset }) => this.values.get(name) !== preset);
  }

  /**
   * Names and values of the settings whose name matches one of the glob patterns. One that is asked
   * for by its plain name is called as it was asked for, capitals included.
   */
  matching(patterns: readonly string[]): [name: string, value: string][] {
    const found = new Map<string, [name: string, value: string]>();
    for (const pattern of patterns) {
      const plain = !/[[*?]/.test(pattern);
      const glob = encoder.encode(pattern);
      for (const setting of SETTINGS) {
        for (const name of [setting.name, ...setting.aliases ?? []]) {
          const matches = plain
            ? name === pattern.toLowerCase()
            : !setting.hidden && globMatch(glob, encoder.encode(name), true);
          if (!matches || found.has(name)) continue;
          const value = this.text(setting.name);
          found.set(name, [plain ? pattern : name, setting.shown?.(value) ?? value]);
        }
      }
    }
    return [...found.values()];
  }

  /**
   * Sets several settings, or none of them.
   *
   * @param pairs Names and values, as in CONFIG SET.
   * @param mayGuarded Whether settings that `enable-protected-configs` guards may be set.
   * @returns Puts their values back.
   * @throws {SettingsError} with the text that CONFIG SET replies.
   */
  change(
    pairs: readonly (readonly [name: string, value: string])[],
    mayGuarded = true,
  ): () => void {
    const changes = pairs.map(([typed, value]) => {
      const setting = findSetting(typed);
      if (setting !== undefined) return { typed, setting, value };
      throw new SettingsError(`Unknown option or number of arguments for CONFIG SET - '${typed}'`);
    });
    const before = new Map(this.values);
    const seen = new Set<string>();
    try {
      for (const { typed, setting } of changes) {
        const name = typed.toLowerCase();
        if (setting.fixed) throw changeFailed(typed, "can't set immutable config");
        if (setting.guarded && !mayGuarded) throw changeFailed(typed, "can't set protected config");
        if (seen.has(name)) throw changeFailed(typed, "duplicate parameter");
        seen.add(name);
      }
      for (const { typed, setting, value } of changes) this.set(typed, setting, value);
    } catch (error) {
      this.values = before;
      throw error;
    }
    return () => {
      for (const { setting: { name } } of changes) this.values.set(name, before.get(name)!);
    };
  }

  /** Sets one, under the name that was typed. */
  private set(typed: string, setting: Setting, value: string): void {
    try {
      const words = splitWords(setting, value);
      const next = setting.read(words, this.values.get(setting.name)!);
      if (setting.refused !== undefined && next !== setting.default) {
        throw new SettingsError(setting.refused);
      }
      this.values.set(setting.name, next);
    } catch (error) {
      if (error instanceof SettingsError) throw changeFailed(typed.toLowerCase(), error.message);
      throw error;
    }
  }
}

/** Options by name as directives. */
export function directivesOf(options: Readonly<Record<string, string>>): Directive[] {
  return Object.entries(options).map(([name, value]) => {
    const setting = findSetting(name);
    return [name, ...setting === undefined ? [value] : splitWords(setting, value)];
  });
}

/** Why CONFIG SET could not set what was called `name`. */
export function changeFailed(name: string, reason: string): SettingsError {
  return new SettingsError(
    `CONFIG SET failed (possibly related to argument '${name}') - ${reason}`,
  );
}

/** A value that came as one text; Redis splits it at each single space. */
function splitWords(setting: Setting, value: string): string[] {
  return setting.manyWords ? value.split(" ") : [value];
}
