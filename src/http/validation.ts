/** Holds what is asked against its TypeBox schema, compiled once; what is wrong is told as `INVALID_ARGUMENT`. */
import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import type { TLocalizedValidationError } from "typebox/error";
import { Value } from "typebox/value";
import { VarveError } from "../errors.ts";

/** Of what is not known and was sent all the same. */
const NAME_CHARACTERS_MAX = 100;
/** More than any schema here has. */
const NAMES_SHOWN_MAX = 50;

const PARTS: Readonly<Record<string, string>> = {
  body: "the body",
  querystring: "the query",
  params: "the path",
  headers: "the headers",
};

/** A query's values are text, and become what the schema has, where they are not that already. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const compiled = Compile(schema);
  const part = PARTS[httpPart ?? ""] ?? "what was sent";
  return (value) => {
    // Bytes are no JSON, and their names are their places: the route looks at them.
    if (Buffer.isBuffer(value) || compiled.Check(value)) return true;
    const converted: unknown =
      httpPart === "body" ? value : Value.Convert(schema, { ...(value as object) });
    if (compiled.Check(converted)) return { value: converted };
    return {
      error: new VarveError("INVALID_ARGUMENT", whatIsWrong(part, errorsOf(compiled, converted))),
    };
  };
};

type Wrong = TLocalizedValidationError;

/**
 * The library goes through all that is wrong, and keeps something of each: millions of wrong items would take all memory.
 * So it is given the first wrong one of a list alone, and of an object no more names than tell what is wrong.
 */
function errorsOf(compiled: Validator, value: unknown): Wrong[] {
  if (typeof value !== "object" || value === null) return compiled.Errors(value);
  const shown = fewNames(value as Record<string, unknown>);
  for (const [name, list] of Object.entries(shown)) {
    if (!Array.isArray(list)) continue;
    const isWrong = (item: unknown) => !compiled.Check({ ...shown, [name]: [item] });
    shown[name] = [];
    // Whether items are to blame can be told only where nothing else is.
    if (!compiled.Check(shown)) continue;
    const place = list.findIndex(isWrong);
    shown[name] = place === -1 ? [] : [fewNames(list[place])];
    const start = `/${name}/0`;
    return compiled
      .Errors(shown)
      .map((error) =>
        error.instancePath.startsWith(start)
          ? { ...error, instancePath: `/${name}/${place}${error.instancePath.slice(start.length)}` }
          : error,
      );
  }
  return compiled.Errors(shown);
}

/** What is known is less, so one that is not is among them. */
function fewNames<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const few: Record<string, unknown> = {};
  let names = 0;
  for (const name in value) {
    Object.defineProperty(few, name, { value: value[name], enumerable: true, writable: true });
    if (++names > NAMES_SHOWN_MAX) break;
  }
  return few as Value;
}

function whatIsWrong(part: string, errors: readonly Wrong[]): string {
  // The deepest one says most: those of a union's other branches, and of what it is in, lie above.
  const depth = ({ instancePath }: Wrong) => instancePath.split("/").length;
  const [error] = errors.toSorted((left, right) => depth(right) - depth(left));
  if (error === undefined) return `${part} is not as it should be`;
  const path = error.instancePath.split("/").slice(1);
  // The schema of what is not known is `false`.
  const unknown = error.keyword === "boolean" ? path.pop() : undefined;
  const place = path.length === 0 ? part : `${part}: ${path.join("/")}`;
  if (unknown !== undefined) {
    return `${place} has ${unknown.slice(0, NAME_CHARACTERS_MAX)}, which is not known here`;
  }
  if (error.keyword === "enum") {
    return `${place} must be one of ${error.params.allowedValues.join(", ")}`;
  }
  return `${place} ${error.message}`;
}
