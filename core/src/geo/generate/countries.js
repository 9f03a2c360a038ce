// Makes ../data/countries.bin: the countries of the world, which answer where a
// place is. Repeatable: `npm ci && npm start` writes the same bytes.
//
//   node countries.js                     the file
//   node countries.js --sample N FILE     also N places near borders, with the
//                                         country of the source as it is, as CSV
//
// Format, all little-endian. An angle is a whole number of 1/16384 degrees (6.8 m).
// A country is a byte: 1 for the first in the table, 0 for none.
//   header     "HLCB"; u8 version; u8 countries; u16 sets; u16 cells with lines;
//              u16 zero; i64 UTC milliseconds, as of when; 4 u16: how far a line of
//              each class may be from its source, in metres
//   countries  in the order of their codes: two letters; the country that this one
//              lies in as a whole, or 0; 0
//   sets       four countries each, ascending, zeros first; set 0 is empty
//   rows       the earth in square degrees, 180 rows from the south of 360 cells from
//              the west: 181 u16, the first run of each row and the number of runs
//   runs       u16 column where it begins, the first of a row at 0; u16 set of all its
//              cells, or 32768 + the number of its first cell with lines; these are
//              numbered in order
//   starts     u32 for each cell with lines, and one more: where it starts in the body
//   body       a cell: u16 set at its south-west corner; u16 chains; a header of 12
//              bytes for each chain; the steps of the chains, one after the other
//   chain      u16 set of the countries that begin or end at it; u8 west, south,
//              east, north: its box, in 64 angles, the east and north still in it;
//              i16 x, y of its first point, from the corner; u8 edges; u8 class, and
//              128 where its steps are wide
//   steps      i8 x, y for each edge; i16 x, y where they are wide
// A chain is in every cell that an edge of it touches, so an answer needs one cell:
// beginning with the set of the corner, each chain that is crossed on the way east
// along the south side and then north to the place adds or takes its countries.
// What is crossed is said at `crossings`.

const fs = require("fs");
const path = require("path");
const source = require("./source");
const { topologyOf } = require("./topology");
const { containersOf, withoutRepeats } = require("./overlaps");
const { thin } = require("./thin");

const CELL = 16384; // angles in a degree
const HEADER = 12; // bytes of a chain beside its steps
const CHAIN = 24; // edges; a longer one is read for nothing too often
const NARROW = 127; // the longest narrow step
const WIDE = 16000; // so that a first point is less than two degrees from the corner
const PIECES = 6; // a step is rather split in so many than made wide
const AS_OF = Date.UTC(2024, 11, 13); // the day of the package

// How far a line may be from its source, in metres: where people live beside it,
// elsewhere on land, in a strait beside a town, and twelve miles out.
const TOLERANCE = [30, 65, 100, 700];
const [LIVED_AT, REMOTE, STRAIT, SEA] = TOLERANCE.keys();
// A short line (an enclave, a bridge) is kept more finely: a part of its length.
const SHORT_PART = 40;
const SHORT_M = 8;
const ROUNDING_M = 5; // half the diagonal of an angle
const SOURCE_M = 10; // the tolerance of the package itself

const { livedAt, METRES } = source;
// In the order of their codes: the answers name claims in this order.
const countries = source.countries.toSorted((a, b) => (a.code < b.code ? -1 : 1));
const within = containersOf(countries);
const { points, arcs, at } = topologyOf(withoutRepeats(countries, within));

// The countries on one side of the line and on the other.
function sides(a, b, label) {
  const [x, y] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const long = Math.hypot(b[0] - a[0], b[1] - a[1]);
  const one = at(x - ((b[1] - a[1]) / long) * 1e-6, y + ((b[0] - a[0]) / long) * 1e-6);
  const other = new Set(one);
  for (const country of label) if (!other.delete(country)) other.add(country);
  return [one, other];
}

// An arc is at sea where there is no country on one side of it.
function isSea({ chain, label }) {
  const middle = chain.length >> 1;
  return sides(points[chain[middle - 1]], points[chain[middle]], label).some((side) => side.size === 0);
}

const lengthOf = (line) =>
  line.slice(1).reduce((sum, [lon, lat], i) => {
    const k = Math.cos((lat * Math.PI) / 180);
    return sum + Math.hypot((lon - line[i][0]) * k, lat - line[i][1]) * METRES;
  }, 0);

const whole = ([lon, lat]) => [Math.round((lon + 180) * CELL), Math.round((lat + 90) * CELL)];

// An arc as edges in whole angles, each with its class; long steps in pieces.
function edgesOf(arc, sea) {
  const line = arc.chain.map((point) => points[point]);
  const [lived, remote] = sea ? [STRAIT, SEA] : [LIVED_AT, REMOTE];
  const kinds = line.map((point) => (livedAt(point) ? lived : remote));
  const short = Math.max(SHORT_M, lengthOf(line) / SHORT_PART);
  const tolerance = kinds.map((kind) => Math.min(TOLERANCE[kind], short));
  const closed = arc.chain[0] === arc.chain.at(-1);
  const half = closed ? line.length >> 1 : line.length - 1;
  const kept = thin(line.slice(0, half + 1), tolerance.slice(0, half + 1));
  if (closed)
    kept.push(...thin(line.slice(half), tolerance.slice(half)).slice(1).map((i) => i + half));
  const edges = [];
  for (let i = 1; i < kept.length; i++) {
    const kind = Math.max(...kinds.slice(kept[i - 1], kept[i] + 1));
    split(whole(line[kept[i - 1]]), whole(line[kept[i]]), kind, edges);
  }
  return edges;
}

function split(from, to, kind, edges) {
  const long = Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]));
  if (long === 0) return;
  const narrow = Math.ceil(long / NARROW);
  const pieces = narrow <= PIECES ? narrow : Math.ceil(long / WIDE);
  let last = from;
  for (let piece = 1; piece <= pieces; piece++) {
    const next = [0, 1].map((i) => Math.round(from[i] + ((to[i] - from[i]) * piece) / pieces));
    edges.push({ from: last, to: next, kind });
    last = next;
  }
}

// ---- cells

const sets = new Map([["", 0]]);
function setOf(list) {
  const key = [...list].sort((a, b) => a - b).join();
  if (!sets.has(key)) sets.set(key, sets.size);
  return sets.get(key);
}

// Twice the signed area: above 0 where the place is to the left of the edge.
const turn = ([x1, y1], [x2, y2], x, y) => (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1);

// Whether the edge touches the square degree.
function touches({ from, to }, column, row) {
  const corners = [0, 1, 2, 3].map((i) =>
    turn(from, to, (column + (i & 1)) * CELL, (row + (i >> 1)) * CELL),
  );
  return Math.min(...corners) <= 0 && Math.max(...corners) >= 0;
}

const cells = new Map(); // row * 360 + column -> runs {set, edges}
function place(edges, label) {
  const set = setOf(label);
  const open = new Map(); // cell -> the run that goes on
  edges.forEach((edge, index) => {
    const span = (i, end) => {
      const [low, high] = [edge.from[i], edge.to[i]].sort((a, b) => a - b);
      return [Math.floor(low / CELL), Math.min(Math.floor(high / CELL), end)];
    };
    const [west, east] = span(0, 359);
    const [south, north] = span(1, 179);
    for (let row = south; row <= north; row++)
      for (let column = west; column <= east; column++) {
        if (!touches(edge, column, row)) continue;
        const cell = row * 360 + column;
        if (!cells.has(cell)) cells.set(cell, []);
        let run = open.get(cell);
        if (!run || run.last !== index - 1) {
          run = { set, edges: [] };
          open.set(cell, run);
          cells.get(cell).push(run);
        }
        run.edges.push(edge);
        run.last = index;
      }
  });
}

let land = 0;
let water = 0;
for (const arc of arcs) {
  const sea = isSea(arc);
  const edges = edgesOf(arc, sea);
  place(edges, arc.label);
  if (sea) water += edges.length;
  else land += edges.length;
}
const labels = [...sets.keys()].map((key) => (key === "" ? [] : key.split(",").map(Number)));

// Adds or takes the countries of each edge that the south side of a cell crosses, or
// its west side. The sides run a hair south and, much less, west of where they are:
// so an edge through a corner, or along a side, is on one side of it, and the code
// that reads the file says the same. At the antimeridian, where nothing is farther
// west, the side is a hair east.
function crossings(cell, along, inside) {
  const corner = [(cell % 360) * CELL, Math.floor(cell / 360) * CELL];
  const crossed = along === "south" ? crossesSouth : crossesWest;
  for (const { set, edges } of cells.get(cell) ?? [])
    for (const edge of edges)
      if (crossed(edge, corner))
        for (const country of labels[set]) if (!inside.delete(country)) inside.add(country);
}

function crossesSouth({ from, to }, [x, y]) {
  if (from[1] >= y === to[1] >= y) return false;
  const [low, high] = to[1] > from[1] ? [from, to] : [to, from];
  const isLeft = (px) => {
    const side = turn(low, high, px, y);
    return side > 0 || (side === 0 && high[0] <= low[0]);
  };
  return isLeft(x) && !isLeft(x + CELL);
}

function crossesWest({ from, to }, [x, y]) {
  if (from[0] > x === to[0] > x) return false;
  const [low, high] = to[0] > from[0] ? [from, to] : [to, from];
  return turn(low, high, x, y) <= 0 && turn(low, high, x, y + CELL) > 0;
}

// The set at the south-west corner of each cell: from the pole north along the
// antimeridian, and from there to the east.
const corners = new Map();
const first = at(-180 + 1e-6, -90 + 1e-6);
for (let row = 0; row < 180; row++) {
  const inside = new Set(first);
  for (let column = 0; column < 360; column++) {
    corners.set(row * 360 + column, setOf(inside));
    crossings(row * 360 + column, "south", inside);
  }
  crossings(row * 360, "west", first);
}

// ---- the file

// A run in pieces with steps of one width, for the fewest bytes; each in chains of
// about as many edges.
function chainsOf({ set, edges }) {
  const chains = [];
  const wide = widths(edges);
  for (let i = 0; i < edges.length; ) {
    let j = i + 1;
    while (j < edges.length && wide[j] === wide[i]) j++;
    const parts = Math.ceil((j - i) / CHAIN);
    const cut = (part) => i + Math.floor(((j - i) * part) / parts);
    for (let part = 0; part < parts; part++)
      chains.push({ set, edges: edges.slice(cut(part), cut(part + 1)), wide: wide[i] });
    i = j;
  }
  return chains;
}

// Whether each edge is better wide: a change costs a header.
function widths(edges) {
  let cost = [0, 0];
  const back = [];
  for (const { from, to } of edges) {
    const long = Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]));
    const steps = [long > NARROW ? Infinity : 2, 4];
    const change = [cost[1] + HEADER < cost[0], cost[0] + HEADER < cost[1]];
    back.push(change);
    cost = steps.map((bytes, wide) => bytes + (change[wide] ? cost[1 - wide] + HEADER : cost[wide]));
  }
  const wide = new Array(edges.length);
  for (let i = edges.length - 1, now = cost[1] < cost[0] ? 1 : 0; i >= 0; i--) {
    wide[i] = now === 1;
    if (back[i][now]) now = 1 - now;
  }
  return wide;
}

function chainBytes({ set, edges, wide }, [x0, y0]) {
  const header = Buffer.alloc(HEADER);
  const all = [edges[0].from, ...edges.map((edge) => edge.to)];
  const box = (i, zero) => {
    const numbers = all.map((point) => point[i] - zero);
    const limited = (n) => Math.min(255, Math.max(0, n));
    return [limited(Math.floor(Math.min(...numbers) / 64)), limited(Math.ceil(Math.max(...numbers) / 64) - 1)];
  };
  const [west, east] = box(0, x0);
  const [south, north] = box(1, y0);
  header.writeUInt16LE(set, 0);
  [west, south, east, north].forEach((n, i) => header.writeUInt8(n, 2 + i));
  header.writeInt16LE(all[0][0] - x0, 6);
  header.writeInt16LE(all[0][1] - y0, 8);
  header.writeUInt8(edges.length, 10);
  header.writeUInt8(Math.max(...edges.map((edge) => edge.kind)) + (wide ? 128 : 0), 11);
  const steps = Buffer.alloc(edges.length * (wide ? 4 : 2));
  edges.forEach(({ from, to }, e) =>
    [0, 1].forEach((i) => {
      if (wide) steps.writeInt16LE(to[i] - from[i], 4 * e + 2 * i);
      else steps.writeInt8(to[i] - from[i], 2 * e + i);
    }),
  );
  return [header, steps];
}

function cellBytes(cell) {
  const corner = [(cell % 360) * CELL, Math.floor(cell / 360) * CELL];
  const chains = cells.get(cell).flatMap(chainsOf).map((chain) => chainBytes(chain, corner));
  const head = Buffer.alloc(4);
  head.writeUInt16LE(corners.get(cell), 0);
  head.writeUInt16LE(chains.length, 2);
  return Buffer.concat([head, ...chains.map(([header]) => header), ...chains.map(([, steps]) => steps)]);
}

function file() {
  const mixed = [...cells.keys()].sort((a, b) => a - b);
  const numbers = new Map(mixed.map((cell, i) => [cell, i]));
  const head = Buffer.alloc(28);
  head.write("HLCB", 0, "latin1");
  head.writeUInt8(1, 4);
  head.writeUInt8(countries.length, 5);
  head.writeUInt16LE(sets.size, 6);
  head.writeUInt16LE(mixed.length, 8);
  head.writeBigInt64LE(BigInt(AS_OF), 12);
  TOLERANCE.forEach((metres, kind) => head.writeUInt16LE(metres + ROUNDING_M + SOURCE_M, 20 + 2 * kind));
  const table = countries.map(({ code }, i) => Buffer.from([...Buffer.from(code), within[i] + 1, 0]));
  const lists = [...sets.keys()].map((key) => {
    const list = key === "" ? [] : key.split(",").map((country) => Number(country) + 1);
    if (list.length > 4) throw new Error(`${key}: more than four countries`);
    return Buffer.from([0, 0, 0, 0, ...list].slice(-4));
  });
  const rows = Buffer.alloc(2 * 181);
  const runs = [];
  for (let cell = 0; cell < 180 * 360; cell++) {
    if (cell % 360 === 0) rows.writeUInt16LE(runs.length, (2 * cell) / 360);
    const goesOn = numbers.has(cell)
      ? numbers.has(cell - 1)
      : !numbers.has(cell - 1) && corners.get(cell) === corners.get(cell - 1);
    if (goesOn && cell % 360 !== 0) continue;
    const run = Buffer.alloc(4);
    run.writeUInt16LE(cell % 360, 0);
    run.writeUInt16LE(numbers.has(cell) ? 32768 + numbers.get(cell) : corners.get(cell), 2);
    runs.push(run);
  }
  rows.writeUInt16LE(runs.length, 2 * 180);
  const bodies = mixed.map(cellBytes);
  const starts = Buffer.alloc(4 * (mixed.length + 1));
  bodies.reduce((start, body, i) => {
    starts.writeUInt32LE(start + body.length, 4 * (i + 1));
    return start + body.length;
  }, 0);
  within.forEach((other, one) => {
    if (other >= 0) console.log(`${countries[one].code} lies in ${countries[other].code}`);
  });
  return Buffer.concat([head, ...table, ...lists, rows, ...runs, starts, ...bodies]);
}

const bytes = file();
fs.writeFileSync(path.join(__dirname, "../data/countries.bin"), bytes);
console.log(
  `countries.bin: ${countries.length} countries, ${sets.size} sets, ${cells.size} cells with lines, ` +
    `${land} edges on land, ${water} at sea, ${bytes.length} bytes`,
);

const [flag, count, sample] = process.argv.slice(2);
if (flag === "--sample") fs.writeFileSync(sample, require("./sample").sampleOf({ arcs, points, at, isSea, countries }, Number(count)));
