// The stage and the traveler: programs that speak one JSON object a line.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program that answers each line with a line. */
export class Program {
  constructor(path) {
    this.child = spawn(path, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async read() {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${this.child.spawnfile} ended without an answer`);
    return JSON.parse(value);
  }

  ask(what) {
    this.child.stdin.write(`${JSON.stringify(what)}\n`);
    return this.read();
  }

  /** Closes its input, which ends it. */
  end() {
    if (this.child.exitCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      this.child.once('exit', resolve);
      this.child.stdin.end();
    });
  }
}

/** What the stage says of itself, as the traveler wants to be told. */
export function valuesOf(stage) {
  const bytes = (hex) => [...Buffer.from(hex, 'hex')];
  return {
    ministry_url: stage.ministry_url,
    anchor: bytes(stage.anchor),
    sealing_key: bytes(stage.sealing_key),
    tls_root: bytes(stage.tls_root),
    hotline: [stage.hotline_from_home, stage.hotline_from_abroad],
  };
}
