/** Numbers for people. */

/** @param {number} number */
export const count = (number) => number.toLocaleString("en");

/** A weight without the noise of floating point. @param {number} weight */
export function weight(weight) {
  if (weight === 0 || weight >= 0.001) return String(Number(weight.toFixed(4)));
  return String(Number(weight.toPrecision(2)));
}

/** @param {number} number @param {string} one @param {string} [many] */
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** A moment of the API, in the reader's time. @param {string} moment */
export const moment = (moment) => new Date(moment).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
