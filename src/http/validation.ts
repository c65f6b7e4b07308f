/** Holds what is asked against its TypeBox schema, compiled once; what is wrong is told as `INVALID_ARGUMENT`. */
import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import type { TLocalizedValidationError } from "typebox/error";
import { Value } from "typebox/value";
import { VarveError } from "../errors.ts";

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
    if (compiled.Check(value)) return true;
    const converted: unknown =
      httpPart === "body" ? value : Value.Convert(schema, { ...(value as object) });
    if (compiled.Check(converted)) return { value: converted };
    return {
      error: new VarveError("INVALID_ARGUMENT", whatIsWrong(part, compiled.Errors(converted))),
    };
  };
};

function whatIsWrong(part: string, errors: readonly TLocalizedValidationError[]): string {
  // The deepest one says most: those of a union's other branches, and of what it is in, lie above.
  const depth = ({ instancePath }: TLocalizedValidationError) => instancePath.split("/").length;
  const [error] = errors.toSorted((left, right) => depth(right) - depth(left));
  if (error === undefined) return `${part} is not as it should be`;
  const place = error.instancePath === "" ? part : `${part}: ${error.instancePath.slice(1)}`;
  if (error.keyword === "additionalProperties") {
    return `${place} has ${error.params.additionalProperties.join(", ")}, which is not known here`;
  }
  if (error.keyword === "enum") {
    return `${place} must be one of ${error.params.allowedValues.join(", ")}`;
  }
  return `${place} ${error.message}`;
}
