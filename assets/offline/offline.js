// Keeps the files of this folder in the browser and answers with them; another version has another name. Other pages of
// this host see the same caches, so the name has the folder's address as well.
const OURS = `deftx ${self.registration.scope} `, NAME = OURS + '@VERSION@', FILES = ['./', '@FILES@'];
self.addEventListener('install', event => event.waitUntil(caches.open(NAME).then(cache => cache.addAll(FILES))));
self.addEventListener('activate', event => event.waitUntil(
  caches.keys().then(names => Promise.all(names.filter(name => name !== NAME && name.startsWith(OURS)).map(name => caches.delete(name))))));
self.addEventListener('fetch', event => event.respondWith(
  caches.open(NAME).then(async cache => await cache.match(event.request) ?? fetch(event.request))));
