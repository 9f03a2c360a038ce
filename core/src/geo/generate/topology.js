// The borders of all countries as arcs: each line once, with the countries that
// begin or end there. What two countries share is one arc, so that thinning leaves
// neither gaps nor overlaps between them.

const { METRES } = require("./source");

const NODES = 2 ** 22; // more than there are points
const SLIVER_M = 25; // twice the tolerance of the source
const SLIVER_POINTS = 40;

// Builds the arcs of `countries` (see source.js).
function topologyOf(countries) {
  const points = [];
  const ids = new Map();
  const idOf = ([lon, lat]) => {
    const key = `${lon},${lat}`;
    if (!ids.has(key)) {
      ids.set(key, points.length);
      points.push([lon, lat]);
    }
    return ids.get(key);
  };

  // Edge -> the countries that have it an odd number of times.
  const edges = new Map();
  const toggle = (list, country) => {
    const at = list.indexOf(country);
    if (at < 0) list.push(country);
    else list.splice(at, 1);
  };
  countries.forEach(({ rings }, country) => {
    for (const ring of rings)
      for (let i = 0; i + 1 < ring.length; i++) {
        const [a, b] = [idOf(ring[i]), idOf(ring[i + 1])];
        if (a === b) continue;
        const key = edgeKey(a, b);
        if (!edges.has(key)) edges.set(key, []);
        toggle(edges.get(key), country);
      }
  });

  // The seam at 180 degrees and the pole are no borders.
  const isSeam = (a, b) =>
    (Math.abs(points[a][0]) === 180 && Math.abs(points[b][0]) === 180) ||
    (Math.abs(points[a][1]) === 90 && Math.abs(points[b][1]) === 90);
  const lines = [];
  for (const [key, list] of edges) {
    if (list.length === 0) continue;
    const [a, b] = [Math.floor(key / NODES), key % NODES];
    lines.push({ a, b, label: list.sort((x, y) => x - y).join(), seam: isSeam(a, b) });
  }
  const at = finder(points, lines);
  return { points, arcs: arcsOf(withoutSlivers(points, lines)), at };
}

// Where two countries were drawn a few metres apart, one line in place of two: arcs
// with the same ends, of different countries, that stay within SLIVER of each other.
function withoutSlivers(points, lines) {
  const byEnds = new Map();
  const changed = new Map(); // edge -> its label from now on
  for (const arc of arcsOf(lines)) {
    const ends = [arc.chain[0], arc.chain.at(-1)].sort((a, b) => a - b).join();
    const twin = byEnds.get(ends);
    if (!twin) {
      byEnds.set(ends, arc);
      continue;
    }
    if (twin.label.some((country) => arc.label.includes(country))) continue;
    if (!isNear(points, arc.chain, twin.chain) || !isNear(points, twin.chain, arc.chain)) continue;
    const label = [...twin.label, ...arc.label].sort((a, b) => a - b).join();
    for (let i = 1; i < arc.chain.length; i++) changed.set(edgeKey(arc.chain[i - 1], arc.chain[i]), "");
    for (let i = 1; i < twin.chain.length; i++) changed.set(edgeKey(twin.chain[i - 1], twin.chain[i]), label);
    byEnds.delete(ends);
  }
  return lines
    .map((line) => ({ ...line, label: changed.get(edgeKey(line.a, line.b)) ?? line.label }))
    .filter((line) => line.label !== "");
}

const edgeKey = (a, b) => Math.min(a, b) * NODES + Math.max(a, b);

// Whether every point of the one is within SLIVER of the other.
function isNear(points, one, other) {
  if (one.length > SLIVER_POINTS || other.length > SLIVER_POINTS) return false;
  return one.every((at) => {
    const [lon, lat] = points[at];
    const k = Math.cos((lat * Math.PI) / 180);
    return other.slice(1).some((to, i) => {
      const [x1, y1] = [(points[other[i]][0] - lon) * k, points[other[i]][1] - lat];
      const [x2, y2] = [(points[to][0] - lon) * k, points[to][1] - lat];
      const long = (x2 - x1) ** 2 + (y2 - y1) ** 2;
      const t = Math.min(1, Math.max(0, -(x1 * (x2 - x1) + y1 * (y2 - y1)) / long));
      return Math.hypot(x1 + t * (x2 - x1), y1 + t * (y2 - y1)) * METRES < SLIVER_M;
    });
  });
}

// Chains of edges with one label, from node to node; a closed one begins anywhere.
function arcsOf(lines) {
  const around = new Map();
  const join = (from, to, label) => {
    if (!around.has(from)) around.set(from, []);
    around.get(from).push({ to, label });
  };
  for (const { a, b, label, seam } of lines) {
    if (seam) continue;
    join(a, b, label);
    join(b, a, label);
  }
  const isNode = (point) => {
    const ways = around.get(point);
    return ways.length !== 2 || ways[0].label !== ways[1].label;
  };
  const used = new Set();
  const arcs = [];
  const walk = (start, { to, label }) => {
    if (used.has(edgeKey(start, to))) return;
    const chain = [start];
    for (let [from, here] = [start, to]; ; ) {
      used.add(edgeKey(from, here));
      chain.push(here);
      if (here === start || isNode(here)) break;
      const [one, other] = around.get(here);
      [from, here] = [here, one.to === from ? other.to : one.to];
    }
    arcs.push({ label: label.split(",").map(Number), chain });
  };
  for (const nodes of [true, false])
    for (const [point, ways] of around)
      if (isNode(point) === nodes) for (const way of ways) walk(point, way);
  return arcs;
}

// A function (longitude, latitude) -> the countries there, in the source as it is.
function finder(points, lines) {
  const BANDS = 10; // a degree
  const bands = Array.from({ length: 180 * BANDS + 1 }, () => []);
  const bandOf = (lat) => Math.floor((lat + 90) * BANDS);
  for (const line of lines) {
    const [y1, y2] = [points[line.a][1], points[line.b][1]];
    const countries = line.label.split(",").map(Number);
    const entry = [points[line.a], points[line.b], countries];
    for (let band = bandOf(Math.min(y1, y2)); band <= bandOf(Math.max(y1, y2)); band++)
      bands[band].push(entry);
  }
  return (lon, lat) => {
    const inside = new Set();
    for (const [[x1, y1], [x2, y2], countries] of bands[bandOf(lat)])
      if (y1 > lat !== y2 > lat && x1 + ((x2 - x1) * (lat - y1)) / (y2 - y1) < lon)
        for (const country of countries)
          if (!inside.delete(country)) inside.add(country);
    return inside;
  };
}

module.exports = { topologyOf };
