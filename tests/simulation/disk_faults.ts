/**
 * A disk that refuses to work for a while: what a server makes of it, and whether it is well again afterwards.
 *
 * While the fault lasts, a server with `everysec` or `no` may refuse changes, with MISCONF and nothing else, and whoever
 * reads must not notice. Once the disk works again, changes are taken soon, and what is seen then is kept as ever: after a sync that
 * failed, only new files can hold that. With `always` the server may end instead, with exit code 1 and without having shown
 * anything that is lost.
 *
 * @module
 */
import type { RandomSource } from "../fuzz/random_source.ts";
import type { VirtualDisk } from "../support/virtual_disk.ts";
import { Life, LifeEnded } from "./life.ts";
import type { LifePlan, Plan } from "./plan.ts";
import { DATABASES } from "./plan.ts";
import type { SimulatedClient } from "./simulated_client.ts";
import { SimulationFault } from "./simulation_fault.ts";
import type { Outcome } from "./simulation.ts";
import { type SimulationOptions, World } from "./world.ts";

/** Once the disk works again, changes must be taken within so long: rewrites that failed again and again wait for minutes. */
const RECOVERY_MS = 3_600_000;
/** What has been seen for longer than this is kept; some more, so that it is really tried. */
const SETTLING_MS = 1500;
const EXIT_CODE = 1;

/** A fault of the disk: begins it; what is returned ends it. */
type DiskFault = (disk: VirtualDisk, random: RandomSource) => () => void;

/** Each kind of fault by its name. */
const FAULTS: Readonly<Record<string, DiskFault>> = {
  "writes fail": (disk) => set(disk, { failWrites: () => true }),
  "some writes fail": (disk) => set(disk, { failWrites: 0.3 }),
  "short writes": (disk) => set(disk, { shortWrites: 0.7, failWrites: 0.2 }),
  "short writes that stay": (disk) =>
    set(disk, { shortWrites: 0.7, failWrites: 0.3, failTruncates: () => true }),
  "a full disk": (disk, random) => {
    const used = disk.paths().reduce((sum, path) => sum + disk.read(path).length, 0);
    return set(disk, { capacity: used + random.below(400) });
  },
  "a sync fails": (disk) => set(disk, { failSyncs: 1 }),
  "syncs fail": (disk) => set(disk, { failSyncs: () => true }),
  "some syncs fail": (disk) => set(disk, { failSyncs: 0.4 }),
  "renames fail": (disk) => set(disk, { failRenames: () => true }),
  "files can't be opened": (disk) => set(disk, { failOpens: () => true }),
  "all fails": (disk) =>
    set(disk, {
      failWrites: () => true,
      failSyncs: () => true,
      failRenames: () => true,
      failOpens: () => true,
    }),
};
const FAULT_NAMES = Object.keys(FAULTS);

function set(disk: VirtualDisk, fault: Partial<VirtualDisk>): () => void {
  const before = Object.fromEntries(
    Object.keys(fault).map((name) => [name, disk[name as keyof VirtualDisk]]),
  );
  Object.assign(disk, fault);
  return () => Object.assign(disk, before);
}

/** What is to happen: faults for servers with few other troubles. */
function makeFaultPlan(random: RandomSource): Plan {
  return {
    settings: {
      appendfsync: random.pick(["always", "everysec", "everysec", "no"]),
      databases: String(DATABASES),
      save: random.chance(0.2) ? "1 5" : "",
      "aof-use-rdb-preamble": random.chance(0.7) ? "yes" : "no",
      "auto-aof-rewrite-percentage": "100",
      "auto-aof-rewrite-min-size": random.chance(0.5) ? String(random.between(500, 4000)) : "64mb",
    },
    source: "file",
    oldFile: "none",
    writers: random.between(1, 3),
    sendChance: random.pick([0.3, 0.9]),
    burst: random.pick([1, 4]),
    lookChance: 0.5,
    subscribes: false,
    monitors: false,
    housekeepingChance: random.pick([0, 0.1]),
    turnMs: random.pick([10, 60]),
    asideMs: random.pick([0, 5, 100]),
    lives: Array.from({ length: random.between(1, 2) }, () => ({
      ending: random.pick(["power cut", "kill"] as const),
      atOperation: Infinity,
      ofKind: null,
      atTurn: 0,
      quietTurns: 0,
      downMs: 10,
    })),
  };
}

/** A life in which the disk refuses to work for a while. */
class FaultyLife extends Life {
  protected override mayBeTorn = true;
  private own: SimulatedClient[] = [];
  private looker!: SimulatedClient;
  private keeper!: SimulatedClient;
  /** A sync has failed, or may have: all bets on power cuts are off until the data is in other files. */
  hasUnsoundFiles = false;
  private mayEnd = false;
  private exitCode: number | undefined;

  /** The exit code of a server that has ended by itself says that this was for a fault. */
  checkExit(): void {
    if (this.exitCode === undefined || this.exitCode === EXIT_CODE) return;
    throw new SimulationFault(`the server has ended with exit code ${this.exitCode}`);
  }

  protected override async work(life: LifePlan): Promise<void> {
    const { world: { disk, plan, random, trace, writers } } = this;
    this.keeper = await this.connect();
    this.looker = await this.connect();
    for (const writer of writers) {
      const client = await this.connect();
      client.send(["SELECT", writer.database]);
      this.own.push(client);
      writer.mayRefuse = () => false;
    }
    this.turnMs = plan.turnMs;
    await this.use(random.between(0, 15));
    const name = random.pick(FAULT_NAMES);
    trace(`fault: ${name}`);
    this.hasUnsoundFiles = /sync|all/.test(name);
    const endFault = FAULTS[name](disk, random);
    for (const writer of writers) {
      writer.mayRefuse = (text) => /^(MISCONF|EXECABORT)/.test(text);
    }
    this.mayEnd = plan.settings.appendfsync === "always";
    try {
      await this.use(random.between(1, 60));
      // The bytes of a sync that failed are gone, and what comes behind them is nothing without them.
      if (!this.hasUnsoundFiles && random.chance(0.3)) return this.end(life.ending);
    } finally {
      endFault();
    }
    trace("the disk works again");
    await this.recover();
    for (const writer of writers) writer.mayRefuse = () => false;
    const settled = this.now + SETTLING_MS;
    while (this.now < settled) await this.use(1);
    this.end(life.ending);
  }

  /** With `always` and a disk that fails, the server may end, but not otherwise. */
  protected override mustLive(): void {
    if (!this.mayEnd || !this.server.isStopping) return super.mustLive();
    this.world.trace("the server has ended");
    this.server.finished.then((code) => this.exitCode = code);
    // What a sync has failed to bring to the disk is with the system, but nobody can bring it to the disk any more.
    this.end(this.hasUnsoundFiles ? "kill" : "power cut");
    throw new LifeEnded();
  }

  /** Lets everybody use the server for some turns. */
  private async use(turns: number): Promise<void> {
    const { world: { plan, random, writers } } = this;
    for (let turn = 0; turn < turns; turn++) {
      const before = this.server.persistence.refusal;
      const solved = this.solved;
      const acknowledged = writers.map((writer) => writer.acknowledged);
      for (const writer of writers) {
        if (!random.chance(plan.sendChance)) continue;
        const count = random.between(1, plan.burst);
        for (let sent = 0; sent < count; sent++) {
          writer.send(this.own[writer.number], random, () => this.now);
        }
      }
      this.read();
      if (this.keeper.unanswered === 0 && random.chance(plan.housekeepingChance)) {
        this.keeper.send([random.pick(["BGREWRITEAOF", "BGSAVE", "SAVE"])]);
      }
      await this.turn();
      // With `always`, replies to changes that came before the refusal are late.
      const refuses = !this.mayEnd && before !== null &&
        this.server.persistence.refusal === before &&
        this.solved === solved;
      if (refuses && writers.some((writer, index) => writer.acknowledged > acknowledged[index])) {
        throw new SimulationFault(`changes were taken in spite of: ${before}`);
      }
    }
  }

  /** Reads something, which always works. */
  private read(): void {
    const { world: { random } } = this;
    const key = `writer${random.below(this.own.length)}:counter`;
    this.looker.send(
      random.pick([["GET", key], ["EXISTS", key], ["INFO", "persistence"]]),
      (reply) => {
        if (reply.kind === "error") {
          throw new SimulationFault(`a read was answered with ${reply.text()}`);
        }
      },
    );
  }

  /** Waits until changes are taken again. */
  private async recover(): Promise<void> {
    const { world: { loop, plan } } = this;
    const end = this.now + RECOVERY_MS;
    // What was begun on the faulty disk ends as it does.
    const settled = this.now + SETTLING_MS;
    while (this.now < settled) await this.turn();
    // Without a snapshot that works, `stop-writes-on-bgsave-error` goes on.
    while (this.server.persistence.refusal !== null) {
      if (this.server.persistence.snapshots.refusal !== null && this.keeper.unanswered === 0) {
        this.keeper.send(["BGSAVE"]);
      }
      if (this.now > end) {
        throw new SimulationFault(
          `the disk works again, but changes are refused: ${this.server.persistence.refusal}\n  ` +
            this.lastLines,
        );
      }
      await loop.advance(1000 - plan.turnMs);
      await this.turn();
    }
    // What was refused on its way is answered.
    await this.turn();
    this.hasUnsoundFiles = false;
    this.mayEnd = false;
  }
}

/** Plays a seed of faults. */
export async function simulateFaults(
  seed: number,
  options: SimulationOptions = {},
): Promise<Outcome> {
  using world = new World(seed, options, makeFaultPlan);
  let lives = 0;
  let operations = 0;
  let answered = 0;
  let fault: Error | undefined;
  const plans: (LifePlan | null)[] = [...world.plan.lives, null];
  while (plans.length > 0 && fault === undefined) {
    const life = new FaultyLife(world, plans.shift()!);
    lives++;
    try {
      await life.play();
      life.checkExit();
    } catch (error) {
      fault = error as Error;
    }
    operations += life.operations;
    answered += world.writers.reduce((sum, writer) => sum + writer.acknowledged, 0);
    if (life.hasUnsoundFiles) plans.splice(0, plans.length, ...plans.slice(-1));
  }
  return { lives, operations, answered, fault };
}
