// What scripts/test makes of npm's advisories.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { verdict } from "../../scripts/test.d/npm-audit.mjs";

const advisory = (id, severity, name = "left") => ({ source: 1, name, title: "a title", url: `https://github.com/advisories/${id}`, severity });
const report = (...via) => JSON.stringify({ auditReportVersion: 2, vulnerabilities: { left: { name: "left", via } }, metadata: {} });
const ids = (advisories) => advisories.map(({ id }) => id);

describe("npm's advisories", () => {
  test("that there are none are nothing to act on", () => assert.deepEqual(verdict(report()), { refused: [], noted: [] }));
  test("of some weight are refused, lighter ones are noted", () => {
    const { refused, noted } = verdict(report(advisory("GHSA-a", "moderate"), advisory("GHSA-b", "critical"), advisory("GHSA-c", "low"), advisory("GHSA-d", "high")));
    assert.deepEqual([ids(refused), ids(noted)], [["GHSA-a", "GHSA-b", "GHSA-d"], ["GHSA-c"]]);
  });
  test("that reach us by way of another package are counted once", () => {
    const text = JSON.stringify({ auditReportVersion: 2, vulnerabilities: { left: { via: [advisory("GHSA-a", "high")] }, pad: { via: ["left"] }, both: { via: [advisory("GHSA-a", "high"), "left"] } } });
    assert.deepEqual(ids(verdict(text).refused), ["GHSA-a"]);
  });
  test("that do not touch us are left out, by their id and no other", () => {
    const ignored = new Map([["GHSA-a", "a reason"]]);
    assert.deepEqual(verdict(report(advisory("GHSA-a", "high")), ignored).refused, []);
    assert.deepEqual(ids(verdict(report(advisory("GHSA-ab", "high")), ignored).refused), ["GHSA-ab"]);
  });
  test("are not read out of an answer that is no report", () => {
    for (const text of ["", "{}", "<html>", "null", '{"message":"405 Method Not Allowed","error":{}}', '{"auditReportVersion":3,"vulnerabilities":{}}']) {
      assert.equal(verdict(text), undefined, text);
    }
  });
});
