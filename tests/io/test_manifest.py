"""The manifest: what is read, and what is said of each mistake."""

import pytest

from tumortrace.io import read_manifest


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "manifest.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_known_columns_first_in_lower_case_others_as_text(write):
    path = write(
        'Site,LABEL,image,Mask,slice,Age at "scan"\nA,Benign,a/1.png,,7,007\n\n"B, 2",Malignant,2.png,m.png,12,\n'
    )
    frame = read_manifest(path)
    assert frame.to_dict("list") == {
        "image": ["a/1.png", "2.png"],
        "mask": ["", "m.png"],
        "label": ["Benign", "Malignant"],
        "slice": [7, 12],
        "Site": ["A", "B, 2"],
        'Age at "scan"': ["007", ""],
    }
    assert list(frame.columns) == ["image", "mask", "label", "slice", "Site", 'Age at "scan"']
    assert frame["slice"].dtype == "int64"


@pytest.mark.parametrize("separator", [",", ";", "\t", ", "])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_separators_line_ends_and_byte_order_mark(write, separator, newline, mark):
    lines = ["Image,Label", "ä b.png,Benign", '"x,;.png",Malignant']
    text = newline.join(
        line.replace(",", separator) if "x" not in line else line[:9] + separator + line[10:] for line in lines
    )
    frame = read_manifest(write(mark + text.encode()))
    assert frame.to_dict("list") == {"image": ["ä b.png", "x,;.png"], "label": ["Benign", "Malignant"]}


def test_one_column_is_enough(write):
    assert read_manifest(write("Image\na.png\n")).to_dict("list") == {"image": ["a.png"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; give a line of column names"),
        ("\n \n", "is empty; give a line of column names"),
        ("Image,Label\n\n", "has no row below the column names"),
        ("Path,Label\na,b\n", "has no column Image; its columns are 'Path', 'label'"),
        ("Image,age,age\na,1,2\n", "has the column 'age' more than once"),
        ("Image,image\na,b\n", "has the column 'image' more than once"),
        ("Image,\na,b\n", "column 2 has no name"),
        ("Image,Status\na,b\n", "column 'Status' has the name of one that the table writes; rename"),
        ("Image,error\na,b\n", "column 'error' has the name"),
        ("Image,digest\na,b\n", "column 'digest' has the name"),
        ("Image,Label\na,b\n\nc\n", "line 4: has 1 values; the first line names 2 columns"),
        ("Image,Label\na,b,c\n", "line 2: has 3 values"),
        ("Image,Label\na,b\n ,c\n", "line 3: the image is empty"),
        ("Image,Slice\na,1\nb,2.5\n", "line 3: slice is '2.5'; give a whole number"),
        ("Image,Slice\na,\n", "line 2: slice is ''"),
        ('Image,Label\na,"b\nc\nd', "line 4: is no CSV: unexpected end of data"),
        ('Image,Label\n"a"x,b\n', "line 2: is no CSV"),
        (b"Image,Label\na,b\n\xe4.png,b\n", "line 3: is no UTF-8 text; save the manifest as CSV in UTF-8"),
        ("Image,Label\na,b\n".encode("utf-16"), "line 1: is no UTF-8 text"),
    ],
)
def test_mistakes_are_named_with_their_line(write, content, message):
    path = write(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(str(path))


def test_line_is_where_the_row_ends_after_a_quoted_line_break(write):
    with pytest.raises(ValueError, match="line 4: the image is empty"):
        read_manifest(write('Image,note\na,"one\ntwo"\n,x\n'))


def test_missing_manifest(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_manifest(tmp_path / "none.csv")
