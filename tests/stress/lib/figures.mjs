// Figures of a run: counts, percentiles, the slope of a series.

/** The value that so many per cent of `values` do not exceed; 0 of none. */
export function percentile(values, percent) {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)];
}

/** The slope of the least-squares line through `[x, y]` points. */
export function slope(points) {
  const mean = (axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const spread = points.reduce((sum, [px]) => sum + (px - x) ** 2, 0);
  if (points.length < 2 || spread === 0) throw new Error("a slope needs points at two times");
  return points.reduce((sum, [px, py]) => sum + (px - x) * (py - y), 0) / spread;
}

/** A counter by name: `count(name)`, `counts` as a plain object. */
export function counter() {
  const counts = {};
  return { counts, count: (name, by = 1) => { counts[name] = (counts[name] ?? 0) + by; } };
}

export const round = (value, digits = 1) => Number(value.toFixed(digits));
