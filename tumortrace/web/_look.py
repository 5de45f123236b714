"""How the page looks: a light theme of system fonts and one stylesheet, given to Gradio at its launch."""

from functools import cache
from importlib.resources import files
from typing import Any

FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


@cache
def part(name: str) -> str:
    """Return the text of a part of the page: its stylesheet, a script, or a template."""
    return files("tumortrace.web").joinpath("page", name).read_text(encoding="utf-8")


def launch_options() -> dict[str, Any]:
    """Return the keywords of `gradio.Blocks.launch` that the page needs.

    Returns
    -------
    dict
        `theme` and `css`. The page needs no `head` and no `js`: its scripts come with its components.
    """
    return {"theme": _theme(), "css": part("page.css")}


def _theme() -> Any:
    """Return a theme that is the same where the system is dark: pictures of lesions keep their surroundings."""
    import gradio as gr

    petrol = gr.themes.Color(
        name="petrol",
        c50="#eef7f8",
        c100="#e3f0f2",
        c200="#c3dfe3",
        c300="#93c4cb",
        c400="#549fa9",
        c500="#1f7a88",
        c600="#0b5d6b",
        c700="#094e5a",
        c800="#073f49",
        c900="#053138",
        c950="#032127",
    )
    theme = gr.themes.Base(
        primary_hue=petrol,
        secondary_hue=petrol,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        font=FONTS,
        font_mono=MONO,
    ).set(
        body_background_fill="#f4f7f9",
        body_text_color="#16202b",
        body_text_color_subdued="#51606f",
        block_background_fill="white",
        block_border_color="#d7dfe7",
        block_label_text_color="#51606f",
        block_title_text_color="#16202b",
        block_title_text_weight="600",
        block_info_text_color="#51606f",
        button_primary_background_fill="#0b5d6b",
        button_primary_background_fill_hover="#094e5a",
        button_primary_text_color="white",
        button_secondary_background_fill="white",
        button_secondary_background_fill_hover="#e3f0f2",
        button_secondary_border_color="#8393a3",
        button_secondary_text_color="#16202b",
        input_border_color="#8393a3",
        checkbox_label_background_fill="white",
        checkbox_label_background_fill_hover="#e3f0f2",
        checkbox_label_background_fill_selected="#e3f0f2",
        checkbox_label_text_color_selected="#16202b",
        checkbox_border_color="#8393a3",
        checkbox_background_color_selected="#0b5d6b",
        checkbox_border_color_selected="#0b5d6b",
    )
    for dark in [name for name in vars(theme) if name.endswith("_dark")]:
        setattr(theme, dark, getattr(theme, dark.removesuffix("_dark")))
    return theme
