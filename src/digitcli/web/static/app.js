// The canvas in a browser. What is drawn goes to the server as events, as in a recording of digitcli draw;
// the server keeps the drawing, and what it reads comes back. Shown at once is what the pen does here; what
// undo, redo and the eraser leave is told by the server.

const SIDE = 512; // units of the canvas
const BRUSHES = [6, 10, 16, 24, 34, 48]; // units
const ERASER = 20; // units, its radius
const MODES = ["automatic", "one digit", "number"];
const TICK = 16; // milliseconds between two messages
const LONG = 4; // characters from which a reading is written smaller
const MANY = 4; // digits; of more, the marks tell no shares
const AT_ONCE = 1500; // events of a message

const $ = (id) => document.getElementById(id);
const paper = $("paper");
const drawing = $("drawing");
const marks = $("marks");
const start = performance.now();

let strokes = []; // {width, points: [[x, y], ...]}
let pointer = null; // the one that draws or erases: {id, erases}
let brush = 16;
let mode = "automatic";
let erases = false;
let showsSaliency = false;
let shown = null; // what was read last
let picture = null; // a picture that is read in place of a drawing: {url, width, height}
let chosen = -1; // which of the digits read the bars are of
let hover = null; // where the eraser is

// --- the server

let socket = null;
let unsent = []; // events
let unseen = []; // events that the server has not told that it has
let sent = 0; // events, on this connection
let timer = 0;
let wait = 500; // milliseconds until the next try to connect

function connect() {
  const address = new URL("/api/live", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(address);
  socket.onopen = () => {
    wait = 500;
    sent = 0;
    unsent = [];
    unseen = [];
    say("");
    retell();
  };
  socket.onmessage = (message) => take(JSON.parse(message.data));
  socket.onclose = (event) => {
    socket = null;
    say(event.reason || "Not connected to the server; trying again");
    setTimeout(connect, wait);
    wait = Math.min(2 * wait, 8000);
  };
}

// Tell a server that knows nothing yet what is there.
function retell() {
  const before = brush;
  for (let i = MODES.indexOf(mode); i > 0; i--) tell({ do: "mode" });
  if (showsSaliency) tell({ do: "explain" });
  for (const stroke of strokes) {
    tell({ do: "brush", to: stroke.width });
    stroke.points.forEach(([x, y], i) => tell({ do: i ? "move" : "pen", x, y }));
    if (stroke !== strokes.at(-1) || !pointer || pointer.erases) tell({ do: "up" }); // else it goes on
  }
  if (pointer?.erases && hover) tell({ do: "erase", x: hover[0], y: hover[1] });
  tell({ do: "brush", to: before });
}

function tell(event) {
  event.t = Math.round(performance.now() - start) / 1000;
  unsent.push(event);
  if (event.do !== "move") flush();
  else if (!timer) timer = setTimeout(flush, TICK);
}

function flush() {
  clearTimeout(timer);
  timer = 0;
  if (!socket || socket.readyState !== WebSocket.OPEN) return; // all is told again on the next connection
  while (unsent.length) {
    const events = unsent.splice(0, AT_ONCE);
    socket.send(JSON.stringify(events));
    sent += events.length;
    unseen.push(...events);
  }
}

function take(state) {
  unseen = unseen.slice(Math.max(0, unseen.length - (sent - state.events)));
  if (state.strokes) {
    strokes = state.strokes;
    for (const event of [...unseen, ...unsent]) redo(event);
    paint();
  }
  $("undo").disabled = !state.undo;
  $("redo").disabled = !state.redo;
  if (picture) return; // a reading of the drawing under it
  say(state.message);
  shown = state;
  show();
}

// Do again what was drawn here since the server told what is drawn.
function redo(event) {
  if (event.do === "pen") strokes.push({ width: brush, points: [[event.x, event.y]] });
  else if (event.do === "move" && pointer && !pointer.erases && strokes.length) {
    strokes.at(-1).points.push([event.x, event.y]);
  } else if (event.do === "clear") strokes = [];
}

// --- drawing

function place(event) {
  const box = drawing.getBoundingClientRect();
  const unit = SIDE / box.width;
  const x = (event.clientX - box.left) * unit;
  const y = (event.clientY - box.top) * unit;
  const clip = (value) => Math.round(100 * Math.max(-SIDE, Math.min(2 * SIDE, value))) / 100;
  return [clip(x), clip(y)];
}

drawing.addEventListener("pointerdown", (event) => {
  if (pointer || event.button > 2 || event.button === 1) return;
  event.preventDefault();
  drawing.focus({ preventScroll: true });
  drawing.setPointerCapture(event.pointerId);
  if (picture) leavePicture();
  const [x, y] = place(event);
  const rubs = erases || event.button === 2 || (event.buttons & 32) !== 0; // 32: the pen's other end
  pointer = { id: event.pointerId, erases: rubs };
  tell({ do: rubs ? "erase" : "pen", x, y });
  if (!rubs) {
    strokes.push({ width: brush, points: [[x, y]] });
    line(strokes.at(-1), 0);
  }
  rub(rubs ? [x, y] : null);
  $("hint").hidden = true;
});

drawing.addEventListener("pointermove", (event) => {
  if (!pointer) {
    rub(erases ? place(event) : null);
    return;
  }
  if (event.pointerId !== pointer.id) return;
  const all = event.getCoalescedEvents?.() ?? [];
  for (const each of all.length ? all : [event]) {
    const [x, y] = place(each);
    tell({ do: "move", x, y });
    if (!pointer.erases && strokes.length) {
      strokes.at(-1).points.push([x, y]);
      line(strokes.at(-1), strokes.at(-1).points.length - 2);
    }
  }
  rub(pointer.erases ? place(event) : null);
});

for (const end of ["pointerup", "pointercancel"]) {
  drawing.addEventListener(end, (event) => {
    if (event.pointerId !== pointer?.id) return;
    tell({ do: "up" });
    pointer = null;
  });
}
drawing.addEventListener("pointerleave", () => rub(null));
drawing.addEventListener("contextmenu", (event) => event.preventDefault());

function line(stroke, first) {
  const context = drawing.getContext("2d");
  const scale = drawing.width / SIDE;
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = stroke.width * scale;
  context.strokeStyle = getComputedStyle(drawing).getPropertyValue("--stroke");
  context.beginPath();
  const [x, y] = stroke.points[first];
  context.moveTo(x * scale, y * scale);
  if (stroke.points.length === 1) context.lineTo(x * scale, y * scale);
  for (const [nextX, nextY] of stroke.points.slice(first + 1)) context.lineTo(nextX * scale, nextY * scale);
  context.stroke();
}

function paint() {
  drawing.getContext("2d").clearRect(0, 0, drawing.width, drawing.height);
  if (!picture) for (const stroke of strokes) line(stroke, 0);
  $("hint").hidden = Boolean(strokes.length || picture);
}

function rub(at) {
  if (!at && !hover) return;
  hover = at;
  mark();
}

// --- what was read

const bars = Array.from({ length: 10 }, (_, digit) => {
  const row = document.createElement("li");
  const fill = document.createElement("div");
  const track = document.createElement("div");
  const name = document.createElement("span");
  const share = document.createElement("span");
  name.textContent = digit;
  fill.className = "fill";
  track.className = "track";
  share.className = "share";
  track.append(fill);
  row.append(name, track, share);
  $("bars").append(row);
  return { row, fill, share };
});

function percent(share) {
  return share > 0.9995 ? "99.9%" : `${(100 * share).toFixed(1)}%`;
}

function show() {
  const digits = shown?.digits ?? [];
  const known = digits.filter((each) => each.digit !== null);
  const words = shown?.text || (digits.length ? "not a digit" : "");
  const isNone = digits.length > 0 && !shown.text;
  const least = Math.min(...known.map((each) => each.confidence));
  $("words").textContent = words || "\u00a0";
  $("words").className = isNone ? "none" : words.length > LONG ? "long" : "";
  $("sure").textContent = known.length
    ? known.length > 1 ? `least sure ${percent(least)}` : `${percent(least)} sure`
    : "\u00a0";
  drawing.setAttribute("aria-label", `Canvas: draw digits with mouse, pen or finger. ${words ? `Reads ${words}` : "Empty"}`);
  speak(known.length ? `Reads ${words}, ${percent(least)} sure` : words);
  if (chosen >= digits.length) chosen = -1;
  showBars(digits.at(chosen));
  showForms();
  mark();
}

function showBars(digit) {
  const best = digit ? digit.probabilities.indexOf(Math.max(...digit.probabilities)) : -1;
  bars.forEach(({ row, fill, share }, i) => {
    const probability = digit?.probabilities[i] ?? 0;
    fill.style.width = `${100 * probability}%`;
    share.textContent = digit ? percent(probability) : "";
    row.className = i === best && digit.digit !== null ? "best" : "";
  });
}

// What the network sees. With saliency: blue where a place speaks for what was read, orange where against it.
function showForms() {
  const forms = shown?.forms ?? [];
  $("explain").disabled = !forms.length;
  $("forms").className = forms.length > 1 ? "many" : "";
  $("forms").replaceChildren(...forms.slice(0, 12).map((form, i) => {
    const button = document.createElement("button");
    const small = document.createElement("canvas");
    button.title = "What the network sees";
    button.setAttribute("aria-label", `What the network sees of digit ${i + 1} of ${forms.length}; show its probabilities`);
    button.setAttribute("aria-pressed", forms.length > 1 && i === (chosen + forms.length) % forms.length);
    button.addEventListener("click", () => {
      chosen = i;
      show();
    });
    button.append(small);
    small.width = small.height = 28;
    const context = small.getContext("2d");
    const pixels = context.createImageData(28, 28);
    const grey = bytes(form);
    const saliency = showsSaliency && shown.saliency?.[i] ? new Int8Array(bytes(shown.saliency[i]).buffer) : null;
    for (let p = 0; p < 784; p++) {
      const colour = [grey[p], grey[p], grey[p]];
      if (saliency) {
        const much = Math.abs(saliency[p]) / 127;
        const towards = saliency[p] > 0 ? [0, 140, 220] : [230, 120, 0];
        for (let c = 0; c < 3; c++) colour[c] += (towards[c] - colour[c]) * 0.75 * much;
      }
      pixels.data.set([...colour, 255], 4 * p);
    }
    context.putImageData(pixels, 0, 0);
    return button;
  }));
}

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

// Boxes of several digits, and the eraser.
function mark() {
  const context = marks.getContext("2d");
  const look = getComputedStyle(marks);
  context.clearRect(0, 0, marks.width, marks.height);
  const box = picture ? fit(picture) : { left: 0, top: 0, scale: marks.width / SIDE };
  const digits = shown?.digits ?? [];
  const unit = marks.width / SIDE;
  if (digits.length > 1 || picture) {
    context.lineWidth = 1.5 * unit;
    context.font = `600 ${15 * unit}px system-ui, sans-serif`;
    for (const { digit, confidence, box: [x, y, width, height] } of digits) {
      const left = box.left + x * box.scale;
      const top = box.top + y * box.scale;
      context.strokeStyle = context.fillStyle = look.getPropertyValue(digit === null ? "--soft" : "--accent");
      context.strokeRect(left, top, width * box.scale, height * box.scale);
      const share = digits.length > MANY ? "" : `  ${percent(confidence)}`;
      const words = digit === null ? "?" : `${digit}${share}`;
      context.fillText(words, left, top > 22 * unit ? top - 5 * unit : top + height * box.scale + 17 * unit);
    }
  }
  if (hover) {
    context.lineWidth = 1.5 * unit;
    context.strokeStyle = look.getPropertyValue("--soft");
    context.beginPath();
    context.arc(hover[0] * unit, hover[1] * unit, ERASER * unit, 0, 2 * Math.PI);
    context.stroke();
  }
}

function say(words) {
  $("message").textContent = words;
}

let speaking = 0;
function speak(words) {
  clearTimeout(speaking); // a screen reader hears what the drawing settles on
  speaking = setTimeout(() => { if ($("spoken").textContent !== words) $("spoken").textContent = words; }, 600);
}

// --- pictures

function fit({ width, height }) {
  const scale = Math.min(marks.width / width, marks.height / height);
  return { scale, left: (marks.width - width * scale) / 2, top: (marks.height - height * scale) / 2 };
}

async function readPicture(file) {
  leavePicture();
  const url = URL.createObjectURL(file);
  const image = $("picture");
  image.src = url;
  try {
    await image.decode();
  } catch { /* a format that the server knows and this browser does not */ }
  picture = { url, width: image.naturalWidth || SIDE, height: image.naturalHeight || SIDE };
  image.hidden = false;
  image.alt = `The picture ${file.name || "that was pasted"}`;
  shown = null;
  show();
  paint();
  say("Reading ...");
  const single = mode === "one digit";
  try {
    const answer = await fetch(`/api/read?single=${single}`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body: file,
    });
    const told = await answer.json();
    if (picture?.url !== url) return; // another one meanwhile
    if (!answer.ok) return say(told.error);
    shown = told;
    say(told.digits.length ? "" : "No writing found in the picture");
  } catch {
    if (picture?.url === url) say("The server does not answer");
    return;
  }
  show();
}

function leavePicture() {
  if (!picture) return;
  URL.revokeObjectURL(picture.url);
  picture = null;
  shown = null;
  $("picture").hidden = true;
  $("picture").removeAttribute("src");
  say("");
  paint();
  show();
}

for (const id of ["file", "camera"]) {
  $(id).addEventListener("change", () => {
    const [file] = $(id).files;
    if (file) readPicture(file);
    $(id).value = "";
  });
}

addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((each) => each.type.startsWith("image/"));
  if (file) readPicture(file);
});

addEventListener("dragover", (event) => {
  event.preventDefault();
  paper.classList.add("over");
});
addEventListener("dragleave", () => paper.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  paper.classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) readPicture(file);
});

// --- tools and keys

const actions = {
  undo: () => tell({ do: "undo" }),
  redo: () => tell({ do: "redo" }),
  clear: () => {
    leavePicture();
    strokes = [];
    chosen = -1;
    tell({ do: "clear" });
    paint();
  },
  eraser: () => {
    erases = !erases;
    $("eraser").setAttribute("aria-pressed", erases);
    drawing.classList.toggle("erasing", erases);
    if (!erases) rub(null);
  },
  explain: () => {
    showsSaliency = !showsSaliency;
    $("explain").setAttribute("aria-pressed", showsSaliency);
    tell({ do: "explain" });
    showForms();
  },
};
for (const [id, action] of Object.entries(actions)) $(id).addEventListener("click", action);

function setMode(next) {
  for (let i = MODES.indexOf(mode); MODES[i % 3] !== next; i++) tell({ do: "mode" });
  mode = next;
  $("mode").value = next;
}
$("mode").addEventListener("change", () => setMode($("mode").value));

function setBrush(index) {
  const place = Math.max(0, Math.min(BRUSHES.length - 1, index));
  brush = BRUSHES[place];
  $("brush").value = place;
  tell({ do: "brush", to: brush });
}
$("brush").addEventListener("input", () => setBrush(Number($("brush").value)));

function correct(digit) {
  if (picture) return say("Corrections are of drawings");
  tell({ do: "correct", to: digit });
}

addEventListener("keydown", (event) => {
  if (event.target.matches("select, input:not([type=range])") || event.altKey) return;
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") (event.shiftKey ? actions.redo : actions.undo)();
    else if (key === "y") actions.redo();
    else return;
    event.preventDefault();
    return;
  }
  if (key in keys) keys[key]();
  else if (/^[0-9]$/.test(key) && !$("corrections").hidden) correct(Number(key));
  else return;
  event.preventDefault();
});

const keys = {
  c: actions.clear,
  u: actions.undo,
  r: actions.redo,
  e: actions.eraser,
  h: () => actions.explain(),
  n: () => setMode(MODES[(MODES.indexOf(mode) + 1) % 3]),
  "[": () => setBrush(BRUSHES.indexOf(brush) - 1),
  "]": () => setBrush(BRUSHES.indexOf(brush) + 1),
};

// --- begin

new ResizeObserver(() => {
  const size = Math.round(paper.clientWidth * devicePixelRatio);
  if (drawing.width === size) return;
  for (const canvas of [drawing, marks]) canvas.width = canvas.height = size;
  paint();
  mark();
}).observe(paper);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { paint(); mark(); });

for (let digit = 0; digit < 10; digit++) {
  const button = document.createElement("button");
  button.textContent = digit;
  button.setAttribute("aria-label", `It really is a ${digit}`);
  button.addEventListener("click", () => correct(digit));
  $("labels").append(button);
}

const facts = await (await fetch("/api/model")).json();
$("model").textContent = `Model: ${facts.name}` + (facts.detector ? `, detector: ${facts.detector}` : "");
$("corrections").hidden = $("correct-keys").hidden = !facts.corrections;
show();
connect();
