// A self-signed X.509 certificate of a JWK (RFC 5280 §4.1), in the few lines of DER that it takes. Node can read
// certificates and cannot write them; jwks.test.mjs has Node's own reader judge these.
import { createPrivateKey, createPublicKey, sign } from "node:crypto";

const SIGNATURE = {
  EC: "1.2.840.10045.4.3.2", // ecdsa-with-SHA256
  RSA: "1.2.840.113549.1.1.11", // sha256WithRSAEncryption
};

/** The certificate's DER. It is valid for a day around now. */
export async function selfSigned(jwk) {
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  const info = createPublicKey(key).export({ type: "spki", format: "der" });
  const algorithm = jwk.kty === "RSA" ? sequence(oid(SIGNATURE.RSA), tlv(0x05)) : sequence(oid(SIGNATURE.EC));
  const name = sequence(tlv(0x31, sequence(oid("2.5.4.3"), tlv(0x0c, Buffer.from("edge broker test")))));
  const day = 86_400_000;
  const validity = sequence(utcTime(Date.now() - day), utcTime(Date.now() + day));
  const version3 = tlv(0xa0, tlv(0x02, Buffer.from([2])));
  const toBeSigned = sequence(version3, tlv(0x02, Buffer.from([1])), algorithm, name, validity, name, info);
  return sequence(toBeSigned, algorithm, tlv(0x03, Buffer.from([0]), sign("sha256", toBeSigned, key)));
}

function tlv(tag, ...contents) {
  const content = Buffer.concat(contents);
  const length = [];
  for (let rest = content.length; rest > 0; rest >>= 8) length.unshift(rest & 0xff);
  const header = content.length < 0x80 ? [tag, content.length] : [tag, 0x80 | length.length, ...length];
  return Buffer.concat([Buffer.from(header), content]);
}

function sequence(...contents) {
  return tlv(0x30, ...contents);
}

function oid(text) {
  const [first, second, ...rest] = text.split(".").map(Number);
  const base128 = (number) => {
    const digits = [number & 0x7f];
    for (let left = number >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    return digits;
  };
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function utcTime(milliseconds) {
  const text = new Date(milliseconds).toISOString().replace(/\.\d+/, "").replace(/[-:T]/g, "").slice(2);
  return tlv(0x17, Buffer.from(text));
}
