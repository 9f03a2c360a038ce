// Places near land borders with the country of the source as it is, to measure the
// file against: both sides, 50 m to 5 km off, the same places each time.

const { METRES } = require("./source");

const OFF_M = [50, 100, 200, 500, 1000, 2000, 5000];

// Mulberry32: the same numbers each time.
function numbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// `count` places for each distance, as CSV like ../shared/data/places.
function sampleOf({ arcs, points, at, isSea, countries }, count) {
  const random = numbers(5);
  const borders = arcs.filter((arc) => arc.label.length === 2 && !isSea(arc));
  // By length: an edge as often as it is long.
  const edges = borders.flatMap(({ chain }) => chain.slice(1).map((to, i) => [points[chain[i]], points[to]]));
  const lengths = [];
  let total = 0;
  for (const [[x1, y1], [x2, y2]] of edges) {
    total += Math.hypot((x2 - x1) * Math.cos((y1 * Math.PI) / 180), y2 - y1);
    lengths.push(total);
  }
  const anEdge = () => {
    const target = random() * total;
    let [low, high] = [0, lengths.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lengths[middle] < target) low = middle + 1;
      else high = middle;
    }
    return edges[low];
  };
  const rows = ["lat,lon,iso2,source,kind"];
  for (const off of OFF_M)
    for (let found = 0; found < count; ) {
      const [[x1, y1], [x2, y2]] = anEdge();
      const k = Math.cos((y1 * Math.PI) / 180);
      const along = random();
      const [dx, dy] = [(x2 - x1) * k, y2 - y1];
      const side = ((random() < 0.5 ? -1 : 1) * off) / METRES / Math.hypot(dx, dy);
      const lon = x1 + (x2 - x1) * along - (dy * side) / k;
      const lat = y1 + dy * along + dx * side;
      const here = [...at(lon, lat)];
      if (here.length !== 1) continue;
      rows.push(`${lat.toFixed(6)},${lon.toFixed(6)},${countries[here[0]].code},osm_borders,d=${off < 1000 ? `${off}m` : `${off / 1000}km`}`);
      found++;
    }
  return rows.join("\n") + "\n";
}

module.exports = { sampleOf };
