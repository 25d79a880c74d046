// tls.mjs: a throwaway certificate for localhost, with its own CA, in .dev/tls; made again when it is about to end.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { webcrypto, X509Certificate } from "node:crypto";
import { dirname } from "node:path";
import "reflect-metadata"; // which x509 wants to be there
import * as x509 from "@peculiar/x509";
import { TLS } from "./files.mjs";

const DAY = 24 * 60 * 60 * 1000;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

x509.cryptoProvider.set(webcrypto);

function lasts() {
  if (!Object.values(TLS).every((file) => existsSync(file))) return false;
  return Date.parse(new X509Certificate(readFileSync(TLS.cert)).validTo) - Date.now() > 2 * DAY;
}

async function make() {
  mkdirSync(dirname(TLS.key), { recursive: true, mode: 0o700 });
  const [caKeys, keys] = [await generate(), await generate()];
  const notBefore = new Date(Date.now() - DAY);
  const notAfter = new Date(Date.now() + 30 * DAY);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: "CN=edge-broker development CA",
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    keys: caKeys,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: "CN=localhost",
    issuer: ca.subject,
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension(["1.3.6.1.5.5.7.3.1"]),
      new x509.SubjectAlternativeNameExtension([
        { type: "dns", value: "localhost" },
        { type: "ip", value: "127.0.0.1" },
        { type: "ip", value: "::1" },
      ]),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const pem = `-----BEGIN PRIVATE KEY-----\n${pkcs8.match(/.{1,64}/g).join("\n")}\n-----END PRIVATE KEY-----\n`;
  writeFileSync(TLS.key, pem, { mode: 0o600 });
  writeFileSync(TLS.cert, leaf.toString("pem") + "\n");
  writeFileSync(TLS.ca, ca.toString("pem") + "\n");
}

const generate = () => webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);

const serial = () => Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString("hex");

if (import.meta.main && !lasts()) await make();
