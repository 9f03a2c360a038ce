// Which country lies in which, by lines of latitude.

const STEP = 0.05; // degrees between the lines
const FIRST = 0.0123; // no point of the source is on one

const PART = 0.998; // lines of the source do not always meet

// For each country the one that it lies in as a whole, or -1: a dependency (Guam,
// Hong Kong), and not a claim, which covers a part.
function containersOf(countries) {
  const area = countries.map(() => 0);
  const common = countries.map(() => new Map());
  for (const [row, pieces] of rowsOf(countries)) {
    const k = Math.cos((latitudeOf(row) * Math.PI) / 180);
    for (const { west, east, country } of pieces) {
      area[country] += (east - west) * k;
      for (const other of pieces) {
        const width = (Math.min(east, other.east) - Math.max(west, other.west)) * k;
        if (width > 0 && other.country !== country)
          common[country].set(other.country, (common[country].get(other.country) ?? 0) + width);
      }
    }
  }
  const isIn = (one, other) => (common[one].get(other) ?? 0) > PART * area[one];
  return countries.map((_, one) => countries.findIndex((_, other) => isIn(one, other)));
}

// The countries without polygons that only repeat a dependency (Guam in the United
// States): the table of containers says the same in a byte.
function withoutRepeats(countries, containers) {
  const rows = rowsOf(countries);
  const isRepeat = (polygon, country) =>
    [...meetsOf(polygon)].every(([row, xs]) =>
      xs.every((west, i) => {
        if (i % 2 === 1) return true;
        const middle = (west + xs[i + 1]) / 2;
        return rows.get(row).some(
          (piece) => containers[piece.country] === country && piece.west < middle && middle < piece.east,
        );
      }),
    );
  return countries.map(({ code, polygons }, country) => {
    const repeats = containers.includes(country) ? polygons.filter((p) => meetsOf(p).size && isRepeat(p, country)) : [];
    return { code, rings: polygons.filter((p) => !repeats.includes(p)).flat() };
  });
}

const latitudeOf = (row) => row * STEP + FIRST;

// Where each line of latitude meets the rings: row -> longitudes, ascending.
function meetsOf(rings) {
  const meets = new Map();
  for (const ring of rings)
    for (let i = 0; i + 1 < ring.length; i++) {
      const [[x1, y1], [x2, y2]] = [ring[i], ring[i + 1]];
      const [low, high] = [Math.min(y1, y2), Math.max(y1, y2)];
      for (let row = Math.ceil((low - FIRST) / STEP); latitudeOf(row) < high; row++) {
        if (latitudeOf(row) < low) continue;
        if (!meets.has(row)) meets.set(row, []);
        meets.get(row).push(x1 + ((x2 - x1) * (latitudeOf(row) - y1)) / (y2 - y1));
      }
    }
  for (const xs of meets.values()) xs.sort((a, b) => a - b);
  return meets;
}

// Each line of latitude: row -> the pieces of it that lie in countries.
function rowsOf(countries) {
  const rows = new Map();
  countries.forEach(({ rings }, country) => {
    for (const [row, xs] of meetsOf(rings)) {
      if (!rows.has(row)) rows.set(row, []);
      for (let i = 0; i + 1 < xs.length; i += 2)
        rows.get(row).push({ west: xs[i], east: xs[i + 1], country });
    }
  });
  return rows;
}

module.exports = { containersOf, withoutRepeats };
