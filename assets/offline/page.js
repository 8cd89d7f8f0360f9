// Classifies sentences in the browser, with the tokenizer and the graph in this folder.
import { Tokenizer } from './runtime/tokenizers.min.mjs';
import * as ort from './runtime/ort.wasm.min.mjs';

const byId = id => document.getElementById(id);
const get = async path => {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path} cannot be read (${answer.status}).`);
  return answer;
};
const json = async path => (await get(path)).json();

/** Return a function from a text to its ids, and whether they were truncated. */
export async function reader(about) {
  const spec = await json('model/tokenizer.json');
  spec.added_tokens = [];  // "<s>" in a text is text
  const tokenizer = new Tokenizer(spec, await json('model/tokenizer_config.json'));
  const { byte_fallback: spells, unk_id: unknown } = spec.model;
  const utf8 = new TextEncoder();
  const byteId = byte => tokenizer.token_to_id(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  // What a Unigram model does not know, the library leaves whole and joins over several words. Here, each word is one
  // unknown token (a word begins with ▁), or is spelt as bytes if the model has them.
  const spelt = (id, token) => (id !== unknown ? [id]
    : token.split(/(?=▁)/).flatMap(word => (spells ? Array.from(utf8.encode(word), byteId) : [id])));
  return text => {
    const { ids, tokens } = tokenizer.encode(text);
    const all = ids.flatMap((id, place) => spelt(id, tokens[place]));
    const cut = all.length > about.max_length, end = all.length - about.after;
    return { ids: cut ? [...all.slice(0, about.max_length - about.after), ...all.slice(end)] : all, cut };
  };
}

/** Return a function from ids to the probabilities of the labels. */
async function runner(about) {
  ort.env.wasm.wasmPaths = new URL('./runtime/', import.meta.url).href;
  ort.env.wasm.numThreads = 1;  // more need headers that most file servers do not send
  const session = await ort.InferenceSession.create(await (await get(about.graph)).arrayBuffer());
  const values = { input_ids: ids => ids, attention_mask: ids => ids.map(() => 1), token_type_ids: ids => ids.map(() => 0) };
  return async ids => {
    const tensor = name => new ort.Tensor('int64', BigInt64Array.from(values[name](ids), BigInt), [1, ids.length]);
    const inputs = Object.fromEntries(session.inputNames.map(name => [name, tensor(name)]));
    const { data } = (await session.run(inputs)).logits;
    const powers = Array.from(data, logit => Math.exp(logit - Math.max(...data)));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map(power => power / sum);
  };
}

/** Refuse to answer if this browser reads the probes otherwise, or gives them other probabilities. */
async function check(about, read, run) {
  for (const { text, ids, probabilities } of about.probes) {
    if (String(read(text).ids) !== String(ids)) throw new Error('This browser splits texts into other tokens.');
    const found = await run(ids);
    if (found.some((one, place) => !(Math.abs(one - probabilities[place]) < about.close))) {
      throw new Error('This browser computes other probabilities.');
    }
  }
}

function show(labels, probabilities) {
  const rows = labels.map((label, place) => {
    const row = document.createElement('tr');
    for (const cell of [label, probabilities[place].toFixed(4)]) row.insertCell().textContent = cell;
    row.dataset.probability = probabilities[place];
    return row;
  });
  rows.sort((a, b) => b.dataset.probability - a.dataset.probability);
  byId('answer').tBodies[0].replaceChildren(...rows);
  byId('answer').hidden = false;
}

async function start() {
  const about = await json('page.json');
  byId('title').textContent = document.title = about.title;
  const read = await reader(about), run = await runner(about);
  await check(about, read, run);
  byId('form').addEventListener('submit', async event => {
    event.preventDefault();
    try {
      const { ids, cut } = read(byId('text').value);
      show(about.labels, await run(ids));
      byId('state').textContent = cut ? `Only the first ${about.max_length} tokens were read.` : '';
    } catch (error) {
      byId('answer').hidden = true;
      byId('state').textContent = `This text cannot be classified: ${error.message}`;
    }
  });
  byId('state').textContent = 'Ready.';
  byId('classify').disabled = false;
  if ('serviceWorker' in navigator) {  // keeps the files, so that the page opens without a network
    await navigator.serviceWorker.register('offline.js');
    await navigator.serviceWorker.ready;
    byId('state').textContent = 'Ready, also without a network.';
  }
}

start().catch(error => { byId('state').textContent = `The classifier cannot be used: ${error.message}`; });
