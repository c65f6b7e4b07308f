/** For a promise that is awaited later: until then its failure is not one that nobody handles. */
export function metLater<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}
