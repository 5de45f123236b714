"""A scikit-learn pipeline from images to a score, tested on patients it has not seen."""

from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tumortrace import FeatureExtractor, io
from tumortrace.evaluation import aggregate, auc, grouped_predictions

lesions = io.synthetic.make_lesions("lesions", patients=24, seed=2)
frame = io.find(lesions).frame
frame = frame[frame["sequence"] == "SUB2"].reset_index(drop=True)
images = [io.read_image(lesions / path).array for path in frame["image"]]
malignant = frame["label"] == "Malignant"

X = FeatureExtractor(["glcm", "lbp", "mvmbp", "first_order"]).fit_transform(images)
# everything that learns is inside the pipeline, so inside the fold
model = make_pipeline(
    SimpleImputer(keep_empty_features=True),
    StandardScaler(),
    SelectKBest(k=30),
    LogisticRegression(C=0.01, class_weight="balanced", max_iter=1000),
)
scored = frame[["patient", "slice"]].assign(
    label=malignant, score=grouped_predictions(model, X, malignant, frame["patient"], folds=4)
)
for level in (["patient", "slice"], ["patient"]):
    rows = aggregate(scored, level)
    print(f"AUC per {level[-1]}: {auc(rows['label'], rows['score'], rows['patient'])}")
