/** From command line, config file and state file to what a monitor does. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseMonitorArguments } from "../../../src/monitor/config/command_line.ts";
import { defaultOptions, loadMonitor } from "../../../src/monitor/config/loading.ts";
import { isForeign } from "../../../src/monitor/config/redis_settings.ts";
import { findFileSetting } from "../../../src/monitor/config/settings.ts";
import { ConfigError } from "../../../src/runtime/config_lines.ts";
import { SETTINGS as SERVER_SETTINGS } from "../../../src/server/settings.ts";
import { MemoryFiles } from "../../support/memory_files.ts";

const ID = "0123456789abcdef0123456789abcdef01234567";

function load(args: readonly string[], texts: Readonly<Record<string, string>> = {}) {
  return loadMonitor(parseMonitorArguments(args), new MemoryFiles(texts));
}

/** What a monitor starts with that has this config file. */
function loadFile(text: string, ...args: readonly string[]) {
  return load(["/etc/s.conf", ...args], { "/etc/s.conf": text });
}

function refusal(text: string, ...args: readonly string[]): string {
  return assertThrows(() => loadFile(text, ...args), ConfigError).message;
}

Deno.test("monitor without a file: the defaults", () => {
  const { options, saved, warnings } = load([]);
  assertEquals([saved, warnings], [null, []]);
  const [group] = options.groups;
  assertEquals(options.groups.length, 1);
  assertEquals(group.name, "mymaster");
  assertEquals(group.master, null);
  assertEquals(group.nodes, [{ host: "127.0.0.1", port: 6380 }]);
  assertEquals([group.quorum, group.downAfterMs, group.failoverTimeoutMs], [1, 5000, 10000]);
  assertEquals([options.router.port, options.sentinelPort, options.httpPort], [6379, null, null]);
  assertEquals([options.router.holdMs, options.router.holdBytes], [10000, 64 * 1024 * 1024]);
  assertEquals([options.router.bind, options.router.protectedMode], [["*", "-::*"], true]);
  assertEquals([options.routedGroup, options.lease, options.dir], ["mymaster", "auto", "."]);
  assert(options.stateFile.endsWith("/miniredis-monitor-6379.conf"));
  assertEquals(options.stateFileIsConfig, false);
});

Deno.test("monitor without a file: what the command line says", () => {
  // deno-fmt-ignore
  const { options, warnings } = load([
    "--port", "7000", "--nodes", "localhost:7001,[::1]:7002,localhost:7001", "--name", "main",
    "--sentinel-port", "27000", "--http", "--http-token", "secret", "--quorum", "2",
    "--down-after-milliseconds", "8000", "--min-acks", "1", "--weights", "127.0.0.1:7001=3",
    "--requirepass", "p w", "--auth-user", "u", "--auth-pass", "q", "--max-lag", "3",
    "--hold-bytes", "1mb", "--announce-ip", "10.0.0.1", "--announce-port", "7009", "--lease", "yes",
    "--dir", "/var/m", "--logfile", "m.log", "--state", "m.conf",
  ]);
  const [group] = options.groups;
  assertEquals(group.nodes, [{ host: "localhost", port: 7001 }, { host: "::1", port: 7002 }]);
  assertEquals([group.name, options.routedGroup, group.quorum], ["main", "main", 2]);
  assertEquals([group.authUser, group.authPass], ["u", "q"]);
  assertEquals(options.resolveHostnames, true);
  assertEquals([options.router.port, options.sentinelPort, options.httpPort], [7000, 27000, 8080]);
  assertEquals([options.httpToken, options.router.requirePass], ["secret", "p w"]);
  assertEquals(options.sentinelRequirePass, "");
  // The master must be able to be missed, and replaced, while commands wait.
  assertEquals([group.downAfterMs, options.router.holdMs], [8000, 13000]);
  assertEquals([options.router.minAcks, options.router.maxLagSeconds], [1, 3]);
  assertEquals([...options.router.weights], [["127.0.0.1:7001", 3]]);
  assertEquals(options.router.holdBytes, 1024 * 1024);
  assertEquals([options.announceIp, options.announcePort, options.lease], [
    "10.0.0.1",
    7009,
    "yes",
  ]);
  assertEquals([options.logFile, options.stateFile], ["/var/m/m.log", "/var/m/m.conf"]);
  assertEquals(warnings, []);
  assertEquals(load(["--state", ""]).options.stateFile, "");
});

Deno.test("monitor without a file: commands that wait too short are warned about", () => {
  const { options, warnings } = load(["--hold-ms", "6000"]);
  assertEquals(options.router.holdMs, 6000);
  assertEquals(warnings.length, 1);
  assertEquals(load(["--hold-ms", "6001"]).warnings, []);
});

Deno.test("monitor without a file: values that can't be are named as Redis does", () => {
  for (
    const [args, text, reason] of [
      [["--port", "x"], 'port "x"', "argument couldn't be parsed into an integer"],
      [["--http", "70000"], 'http "70000"', "argument must be between 0 and 65535 inclusive"],
      [["--nodes", "localhost"], 'nodes "localhost"', "'localhost' is no address of a node"],
      [["--nodes", "a:0"], 'nodes "a:0"', "'a:0' is no address of a node"],
      [["--weights", "a:1"], 'weights "a:1"', "'a:1' is no weight"],
      [["--name", "a b"], 'name "a b"', "a group's name has letters"],
      [["--quorum", "0"], 'quorum "0"', "argument must be between 1 and 2147483647 inclusive"],
      [
        ["--lease", "maybe"],
        'lease "maybe"',
        "argument(s) must be one of the following: auto, yes",
      ],
      [["--dir", "/missing/a"], 'dir "/missing/a"', "No such file or directory"],
    ] as const
  ) {
    const { message } = assertThrows(() => load(args), ConfigError);
    assertEquals(
      message.split(reason)[0],
      "\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\n" +
        `Reading the configuration of the command line\n>>> '${text}'\n`,
    );
  }
});

Deno.test("monitor with a sentinel.conf: all of it", () => {
  const { options, saved, warnings } = loadFile(
    `# of somebody
port 5000
bind 127.0.0.1 -::1
requirepass "a b"
dir /var/lib
logfile /var/log/s.log
loglevel verbose
pidfile s.pid
daemonize no
acllog-max-len 128
user default on nopass ~* &* +@all
sentinel down-after-milliseconds main 20000
sentinel monitor main 10.0.0.1 6379 2
SENTINEL Resolve-Hostnames yes
sentinel announce-hostnames no
sentinel deny-scripts-reconfig no
sentinel failover-timeout main 60000
sentinel parallel-syncs main 3
sentinel auth-pass main "p w"
sentinel auth-user main bob
sentinel rename-command main CONFIG guessme
sentinel master-reboot-down-after-period main 7
sentinel monitor other db.example 6380 1
sentinel config-epoch main 7
sentinel leader-epoch main 8
sentinel current-epoch 9
sentinel known-replica main 10.0.0.2 6379
sentinel known-slave main 10.0.0.3 6379
sentinel known-sentinel main 10.0.0.9 26379 ${ID}
sentinel known-sentinel main 10.0.0.8 26379
sentinel announce-ip "1.2.3.4"
sentinel announce-port 5001
sentinel sentinel-user su
sentinel sentinel-pass sp
sentinel myid ${ID.replace("0", "f")}
`,
  );
  assertEquals(warnings, []);
  assertEquals(options.sentinelPort, 5000);
  assertEquals(options.sentinelBind, ["127.0.0.1", "-::1"]);
  assertEquals([options.router.port, options.httpPort, options.routedGroup], [null, null, ""]);
  assertEquals([options.sentinelRequirePass, options.router.requirePass], ["a b", ""]);
  assertEquals([options.dir, options.logFile, options.pidFile], [
    "/var/lib",
    "/var/log/s.log",
    "/var/lib/s.pid",
  ]);
  assertEquals([options.stateFile, options.stateFileIsConfig], ["/etc/s.conf", true]);
  assertEquals([options.announceIp, options.announcePort], ["1.2.3.4", 5001]);
  assertEquals([options.sentinelUser, options.sentinelPass], ["su", "sp"]);
  assertEquals([options.resolveHostnames, options.denyScriptsReconfig], [true, false]);
  assertEquals([saved?.myId, saved?.currentEpoch], [ID.replace("0", "f"), 9]);
  const [main, other] = saved!.groups;
  assertEquals(options.groups, [main.options, other.options]);
  assertEquals(main, {
    options: {
      name: "main",
      master: { host: "10.0.0.1", port: 6379 },
      nodes: [],
      quorum: 2,
      downAfterMs: 20000,
      failoverTimeoutMs: 60000,
      parallelSyncs: 3,
      masterRebootDownAfterMs: 7,
      authUser: "bob",
      authPass: "p w",
      renamedCommands: new Map([["config", "guessme"]]),
    },
    configEpoch: 7,
    leaderEpoch: 8,
    replicas: [{ host: "10.0.0.2", port: 6379 }, { host: "10.0.0.3", port: 6379 }],
    sentinels: [{ host: "10.0.0.9", port: 26379, runId: ID }],
  });
  assertEquals([other.options.downAfterMs, other.options.failoverTimeoutMs], [30000, 180000]);
});

Deno.test("monitor with a sentinel.conf: the router opens only when it is asked for", () => {
  const main = "sentinel monitor main 10.0.0.1 6379 2\n";
  const bare = loadFile(main);
  assertEquals([bare.options.router.port, bare.options.sentinelPort], [null, 26379]);
  const typed = loadFile(main, "--port", "7000");
  assertEquals([typed.options.router.port, typed.options.routedGroup], [7000, "main"]);
  assertEquals(typed.options.router.holdMs, 35000);
  const inFile = loadFile(`${main}router-port 7000\nread-from any\nhttp-port 8081\nport 0`);
  assertEquals([inFile.options.router.port, inFile.options.router.readFrom], [7000, "any"]);
  assertEquals([inFile.options.httpPort, inFile.options.sentinelPort], [8081, null]);
  const two = `${main}sentinel monitor other 10.0.0.2 6379 2\n`;
  assertEquals(loadFile(two).options.routedGroup, "");
  const { options } = loadFile(`${two}router-port 7000\nrouter-group other`);
  assertEquals(options.routedGroup, "other");
  assertThrows(
    () => loadFile(two, "--port", "7000"),
    ConfigError,
    "There are 2 groups (main, other): 'router-group', or --name, has to say which one",
  );
  assertEquals(loadFile("router-port 7000").warnings.length, 1);
});

Deno.test("monitor with a sentinel.conf: what can't be done is said, and the rest is", () => {
  const { options, warnings } = loadFile(`daemonize yes
supervised systemd
unixsocket /tmp/s
user bob on >pass +@all
user default off
save 900 1
sentinel monitor main 10.0.0.1 6379 2
sentinel notification-script main /bin/true
sentinel client-reconfig-script main /bin/true
`);
  assertEquals(options.groups.length, 1);
  const starts = [
    "'daemonize' has no effect",
    "'supervised' has no effect",
    "'unixsocket' has no effect",
    "'user bob' has no effect",
    "'user default' has no effect",
    "'sentinel notification-script main /bin/true' is refused: this program may not start others",
    "'sentinel client-reconfig-script main /bin/true' is refused: this program may not start",
  ];
  assertEquals(warnings.map((line, index) => line.slice(0, starts[index].length)), starts);
});

Deno.test("monitor with a sentinel.conf: what is wrong is named with file, line, text and reason", () => {
  const monitor = "sentinel monitor m 10.0.0.1 6379 2";
  for (
    const [text, line, shown, reason] of [
      ["sentinel frobnicate m 1", 1, "", "Unrecognized sentinel configuration statement."],
      [`${monitor} 3`, 1, "", "Unrecognized sentinel configuration statement."],
      ["sentinel monitor m 10.0.0.1 6379 0", 1, "", "Quorum must be 1 or greater."],
      ["sentinel monitor m 10.0.0.1 70000 1", 1, "", "Invalid port number."],
      ["sentinel monitor m db.example 1 1", 1, "", "Can't resolve instance hostname."],
      [`${monitor}\n${monitor}`, 2, monitor, "Duplicate master name."],
      ["sentinel parallel-syncs m 1", 1, "", "No such master with specified name."],
      [
        `sentinel down-after-milliseconds m x\n${monitor}`,
        1,
        "sentinel down-after-milliseconds m x",
        "negative or zero time parameter.",
      ],
      [
        `${monitor}\nsentinel master-reboot-down-after-period m -1`,
        2,
        "sentinel master-reboot-down-after-period m -1",
        "negative time parameter.",
      ],
      ["sentinel myid abc", 1, "", "Malformed Sentinel id in myid option."],
      [
        "sentinel resolve-hostnames x",
        1,
        "",
        "Please specify yes or no for the resolve-hostnames option.",
      ],
      [
        `${monitor}\nsentinel known-replica m 10.0.0.2 1\nsentinel known-slave m 10.0.0.2 1`,
        3,
        "sentinel known-slave m 10.0.0.2 1",
        "Duplicate hostname and port for replica.",
      ],
      [
        `${monitor}\nsentinel rename-command m a b\nsentinel rename-command m A c`,
        3,
        "sentinel rename-command m A c",
        "Same command renamed multiple times with rename-command.",
      ],
      ["prot 1", 1, "prot 1", "Bad directive or wrong number of arguments"],
      ["nodes a:1", 1, "nodes a:1", "Bad directive or wrong number of arguments"],
      ["maxmemory", 1, "maxmemory", "Bad directive or wrong number of arguments"],
      ["\n\nport x", 3, "port x", "argument couldn't be parsed into an integer"],
      ["port 1 2", 1, "port 1 2", "wrong number of arguments"],
      ["tls-port 1", 1, "", "connections are not encrypted; put a TLS proxy in front of the port"],
      ['port "1', 1, "", "Unbalanced quotes in configuration line"],
    ] as const
  ) {
    assertEquals(
      refusal(text),
      "\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\n" +
        `Reading the configuration file, at line ${line} of /etc/s.conf\n` +
        `>>> '${shown === "" ? text : shown}'\n${reason}`,
    );
  }
  assertThrows(
    () => load(["/none.conf"]),
    ConfigError,
    "Fatal error, can't open config file '/none.conf': No such file or directory",
  );
});

Deno.test("monitor with a sentinel.conf: what an included file says counts until the file says it", () => {
  const included = "sentinel monitor main 10.0.0.1 6379 2\nsentinel parallel-syncs main 4\n";
  const first = load(["/etc/s.conf"], {
    "/etc/s.conf": "include /etc/groups.conf\nport 5000\n",
    "/etc/groups.conf": included,
  });
  assertEquals(first.options.groups[0].master?.host, "10.0.0.1");
  const second = load(["/etc/s.conf"], {
    "/etc/s.conf": "include /etc/groups.conf\nsentinel monitor main 10.0.0.2 6379 2\n",
    "/etc/groups.conf": included,
  });
  assertEquals(second.options.groups[0].master?.host, "10.0.0.2");
  assertEquals(second.options.groups[0].parallelSyncs, 4);
});

Deno.test("monitor with a sentinel.conf: every setting of Redis may stand in it", () => {
  const unknown = SERVER_SETTINGS
    .flatMap(({ name, aliases = [] }) => [name, ...aliases])
    .filter((name) => findFileSetting(name) === undefined && !isForeign(name));
  assertEquals(unknown, []);
});

Deno.test("monitor with a state file: it is known who the master is, and the command line counts more", () => {
  const state = `sentinel myid ${ID}
sentinel current-epoch 4
sentinel monitor mymaster 127.0.0.1 6381 2
sentinel down-after-milliseconds mymaster 30000
sentinel failover-timeout mymaster 10000
sentinel known-replica mymaster 127.0.0.1 6380
sentinel monitor added 10.0.0.1 6379 1
`;
  const { options, saved, warnings } = load(["--state", "/s", "--quorum", "3"], { "/s": state });
  assertEquals(warnings, []);
  const [group, added] = options.groups;
  assertEquals(group.master, { host: "127.0.0.1", port: 6381 });
  assertEquals(group.nodes, [{ host: "127.0.0.1", port: 6381 }]);
  assertEquals([group.quorum, group.downAfterMs, group.failoverTimeoutMs], [3, 30000, 10000]);
  assertEquals(added.name, "added");
  assertEquals(saved?.myId, ID);
  assertEquals(saved?.groups.map((entry) => entry.options), [group, added]);
  const named = load(["--state", "/s", "--nodes", "127.0.0.1:6380"], { "/s": state });
  assertEquals(named.options.groups[0].nodes, [{ host: "127.0.0.1", port: 6380 }]);
  assertEquals(load(["--state", "/s"], { "/s": "\n" }).saved, null);
});

Deno.test("monitor with a state file of other nodes: it is put aside, and not used", () => {
  const state = `sentinel myid ${ID}\nsentinel monitor mymaster 127.0.0.1 6381 2\n`;
  for (const args of [["--nodes", "127.0.0.1:7000"], ["--name", "other"]]) {
    const files = new MemoryFiles({ "/s": state });
    const parsed = parseMonitorArguments(["--state", "/s", ...args]);
    const { options, saved, warnings } = loadMonitor(parsed, files);
    assertEquals(saved, null);
    assertEquals(options.groups[0].master, null);
    assertEquals(warnings, [
      "The state file '/s' is of other nodes (mymaster: 127.0.0.1:6381): it is put aside as " +
      "'/s.old', and nothing of it is used",
    ]);
    assertEquals([files.exists("/s"), files.readText("/s.old")], [false, state]);
  }
});

Deno.test("monitor: the defaults alone", () => {
  const options = defaultOptions();
  assertEquals([options.groups, options.sentinelPort, options.stateFile], [[], null, ""]);
});
