"use strict";

// Browsers give pages their clipboard over HTTPS and on this machine only; elsewhere the key is selected for Ctrl-C.
for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", async () => {
        const source = document.getElementById(button.dataset.copy);
        const status = button.parentElement.querySelector("[role=status]");
        try {
            await navigator.clipboard.writeText(source.textContent);
            status.textContent = "Copied.";
        } catch {
            getSelection().selectAllChildren(source);
            status.textContent = "Selected: press Ctrl-C to copy.";
        }
    });
}
