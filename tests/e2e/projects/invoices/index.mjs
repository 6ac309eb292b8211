import { readFile } from "node:fs/promises";
import { MongoClient } from "mongodb";

const { MONGO_URI, RUN_ID } = process.env;
const client = await MongoClient.connect(MONGO_URI);
const invoices = client.db("invoices").collection("invoices");
for (const { number, ...invoice } of JSON.parse(await readFile("invoices.json", "utf8"))) {
  await invoices.replaceOne({ _id: number }, { ...invoice, run_id: RUN_ID }, { upsert: true });
}
console.log(`${await invoices.countDocuments({ run_id: RUN_ID })} invoices`);
await client.close();
