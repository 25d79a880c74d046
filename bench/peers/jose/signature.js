// Ethereum's part: the checksum in an address's letters (EIP-55), and who signed a message (EIP-191).

import { secp256k1 } from "@noble/curves/secp256k1";
import { keccak_256 } from "@noble/hashes/sha3";

const encoder = new TextEncoder();

/** The EIP-55 form of a lower-case address. */
export function checksummed(wallet) {
  const digits = wallet.slice(2);
  const hash = keccak_256(encoder.encode(digits)).toHex();
  return `0x${[...digits].map((digit, place) => (hash[place] >= "8" ? digit.toUpperCase() : digit)).join("")}`;
}

/** The wallet that made this signature (`0x` and 130 hex digits) over a message; `undefined` where nobody did. */
export function addressOf(message, signature) {
  const bytes = Uint8Array.fromHex(signature.slice(2));
  const recovery = [0, 1].find((odd) => bytes[64] === odd || bytes[64] === odd + 27);
  if (recovery === undefined) return undefined;
  const body = encoder.encode(message);
  const prefix = encoder.encode(`\u0019Ethereum Signed Message:\n${body.length}`);
  const hash = keccak_256.create().update(prefix).update(body).digest();
  try {
    const signed = secp256k1.Signature.fromCompact(bytes.subarray(0, 64)).addRecoveryBit(recovery);
    if (signed.hasHighS()) return undefined;
    const key = signed.recoverPublicKey(hash).toRawBytes(false);
    return `0x${keccak_256(key.subarray(1)).subarray(12).toHex()}`;
  } catch {
    return undefined;
  }
}
