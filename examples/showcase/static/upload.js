// Sends the form in the background so that the progress can be shown. Without scripts the form works as it is.
"use strict";

const form = document.getElementById("upload");
const bar = document.getElementById("bar");
const percent = document.getElementById("percent");
const message = document.getElementById("message");
const button = form.querySelector("button");

function show(loaded, total) {
  const value = total ? Math.round((100 * loaded) / total) : 0;
  bar.value = value;
  percent.textContent = `${value} %`;
}

function addRow({ name, size, sha256 }) {
  const row = document.querySelector("#uploaded tbody").insertRow();
  for (const value of [name, size, sha256]) row.insertCell().textContent = value;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const request = new XMLHttpRequest();
  const finish = (text) => {
    message.textContent = text;
    button.disabled = false;
  };
  request.upload.addEventListener("progress", (moment) => show(moment.loaded, moment.total));
  request.addEventListener("error", () => finish("The connection broke. Are the files too large?"));
  request.addEventListener("load", () => {
    if (request.status !== 200) {
      finish(`Refused (${request.status}): the files are too large or too many.`);
      return;
    }
    const { files } = JSON.parse(request.responseText);
    files.forEach(addRow);
    show(1, 1);
    finish(`Received ${files.length} ${files.length === 1 ? "file" : "files"}.`);
  });
  button.disabled = true;
  message.textContent = "";
  document.getElementById("progress").hidden = false;
  show(0, 1);
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.send(new FormData(form));
});
