// JSON with comments, for the variables and headers editors. It stands in for the module of the same name in @graphiql/react,
// which brings in half a megabyte of a code formatter to indent it.
import { applyEdits, format, parse, printParseErrorCode } from 'jsonc-parser';

export async function formatJSONC(content) {
  return applyEdits(content, format(content, undefined, { tabSize: 2, insertSpaces: true, eol: '\n' }));
}

export function parseJSONC(content) {
  const errors = [];
  const parsed = parse(content, errors, { allowTrailingComma: true, allowEmptyContent: true });
  if (errors.length > 0) {
    throw new SyntaxError(errors.map(({ error, offset }) => `${printParseErrorCode(error)} at ${position(content, offset)}`).join(', '));
  }
  return parsed;
}

export function tryParseJSONC(content = '') {
  let parsed;
  try {
    parsed = parseJSONC(content);
  } catch (error) {
    throw new Error(`are invalid JSON: ${error.message}.`);
  }
  if (!parsed) return undefined;
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw new TypeError('are not a JSON object.');
  return parsed;
}

function position(content, offset) {
  const lines = content.slice(0, offset).split('\n');
  return `line ${lines.length}, column ${lines.at(-1).length + 1}`;
}
