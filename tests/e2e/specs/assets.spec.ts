import { request } from "node:http";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect } from "@playwright/test";
import { test } from "../support/fixtures.ts";

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** As it comes over the line: nothing is unpacked. */
async function ask(address: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const asked = request(address, { method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}

const UNPACK: Record<string, (bytes: Buffer) => Buffer> = {
  br: brotliDecompressSync,
  gzip: gunzipSync,
  identity: (bytes) => bytes,
};

test("the page's files come as the build has compressed them, whatever the client takes", async ({ server }) => {
  const page = await ask(server.url);
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(page.body.toString())?.[1];
  const style = /href="(\/assets\/[^"]+\.css)"/.exec(page.body.toString())?.[1];
  const font = /\/assets\/[^)"']+\.woff2/.exec((await ask(server.url + style)).body.toString())?.[0];
  for (const path of ["/", "/workflows/any", script, style, font, "/service-worker.js", "/favicon.svg"]) {
    const address = `${server.url}${path}`;
    const plain = await ask(address);
    expect(plain.status, path).toBe(200);
    expect(plain.headers["content-encoding"], path).toBeUndefined();
    for (const [accept, expected] of [
      ["gzip, deflate, br, zstd", "br"],
      ["gzip, deflate", "gzip"],
      ["br;q=0.1, gzip;q=0.2", "gzip"],
      ["br;q=0, zstd", "identity"],
    ] as const) {
      const encoding = path === font ? "identity" : expected;
      const answer = await ask(address, { "accept-encoding": accept });
      expect(answer.headers["content-encoding"], `${path} ${accept}`).toBe(encoding);
      expect(answer.headers["content-length"], `${path} ${accept}`).toBe(String(answer.body.length));
      expect(UNPACK[encoding]?.(answer.body).equals(plain.body), `${path} ${accept}`).toBe(true);
      expect(answer.headers.vary ?? "", path).toContain(path === font ? "" : "accept-encoding");

      const head = await ask(address, { "accept-encoding": accept }, "HEAD");
      expect([head.status, head.body.length], path).toEqual([200, 0]);
      for (const name of ["content-encoding", "content-length", "content-type", "etag", "vary"]) {
        expect(head.headers[name], `${path} ${accept} ${name}`).toBe(answer.headers[name]);
      }
      const tags = `"another", W/${answer.headers.etag}`;
      const known = await ask(address, { "accept-encoding": accept, "if-none-match": tags });
      expect([known.status, known.body.length, known.headers.etag], path).toEqual([304, 0, answer.headers.etag]);
    }
  }
  for (const form of [".br", ".gz"]) expect((await ask(`${server.url}${script}${form}`)).status).toBe(404);
});

test("many who ask for the page's largest files at once keep nobody waiting", async ({ server }) => {
  const page = (await ask(server.url)).body.toString();
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(page)?.[1];
  const files = Array.from({ length: 60 }, () => ask(`${server.url}${script}`, { "accept-encoding": "br" }));
  let done = false;
  const crowd = Promise.all(files).finally(() => {
    done = true;
  });
  const waitsMs: number[] = [];
  while (!done) {
    const began = performance.now();
    expect((await ask(`${server.url}/health/live`)).status).toBe(200);
    waitsMs.push(performance.now() - began);
  }
  for (const answer of await crowd) expect(answer.status).toBe(200);
  expect(Math.max(...waitsMs)).toBeLessThan(250);
});
